//! A connection that is used for one call after the other, until a call fails or is abandoned.

use crate::Error;

/// The connection, or why there is none any more.
#[derive(Debug)]
pub(crate) struct Poisonable<T>(Result<T, Error>);

impl<T> Poisonable<T> {
    pub(crate) const fn new(held: T) -> Self {
        Self(Ok(held))
    }

    /// Takes the connection for one call. A caller that is dropped does not give it back: this closes it, and there is no other.
    ///
    /// # Errors
    /// The error of the call that was the last one.
    pub(crate) fn take(&mut self) -> Result<T, Error> {
        let taken = std::mem::replace(&mut self.0, Err(Error::Abandoned));
        if let Err(error) = &taken {
            self.0 = Err(error.clone());
        }
        taken
    }

    /// Gives it back with the result of the call. An error closes it, and all later calls have the same error.
    pub(crate) fn give_back<R>(&mut self, held: T, result: Result<R, Error>) -> Result<R, Error> {
        self.0 = match &result {
            Ok(_) => Ok(held),
            Err(error) => Err(error.clone()),
        };
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_or_abandoned_call_is_the_last_one() {
        let mut held = Poisonable::new(7);
        assert_eq!(held.take(), Ok(7));
        assert_eq!(held.give_back(7, Ok("fine")), Ok("fine"));
        assert_eq!(held.take(), Ok(7));
        assert_eq!(held.give_back(7, Err::<(), _>(Error::Silent)), Err(Error::Silent));
        assert_eq!(held.take(), Err(Error::Silent));
        assert_eq!(held.take(), Err(Error::Silent));

        let mut held = Poisonable::new(7);
        held.take().expect("taken");
        for _ in 0..2 {
            let error = held.take().expect_err("gone").to_string();
            assert_eq!(error, "a call over this connection was abandoned");
        }
    }
}
