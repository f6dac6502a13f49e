//! A connection that is used for one call after the other, until one of them fails or is given up.

use crate::Failure;

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Held<T>(Result<T, Failure>);

impl<T> Held<T> {
    pub(crate) const fn new(held: T) -> Self {
        Self(Ok(held))
    }

    /// Takes it for one call. If it does not come back, the call was given up: then it is closed, and there is no other.
    ///
    /// # Errors
    /// Why it is no good any more.
    pub(crate) fn take(&mut self, server: &str) -> Result<T, Failure> {
        let given_up = Failure::new(server, "a call over this connection was given up");
        let taken = std::mem::replace(&mut self.0, Err(given_up));
        if let Err(failure) = &taken {
            self.0 = Err(failure.clone());
        }
        taken
    }

    /// Brings it back with the call's result. After a failure it is closed, and all that there will be is that.
    pub(crate) fn bring_back<R>(&mut self, held: T, result: Result<R, Failure>) -> Result<R, Failure> {
        self.0 = match &result {
            Ok(_) => Ok(held),
            Err(failure) => Err(failure.clone()),
        };
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_or_was_given_up_says_so_for_good() {
        let mut held = Held::new(7);
        assert_eq!(held.take("s"), Ok(7));
        assert_eq!(held.bring_back(7, Ok("fine")), Ok("fine"));
        assert_eq!(held.take("s"), Ok(7));
        let broken = Failure::new("s", "broken");
        assert_eq!(held.bring_back(7, Err::<(), _>(broken.clone())), Err(broken.clone()));
        assert_eq!(held.take("s"), Err(broken.clone()));
        assert_eq!(held.take("s"), Err(broken));

        let mut held = Held::new(7);
        held.take("s").expect("taken");
        for _ in 0..2 {
            let told = held.take("s").expect_err("gone").to_string();
            assert_eq!(told, "s: a call over this connection was given up");
        }
    }
}
