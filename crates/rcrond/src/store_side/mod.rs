//! The store, as the machine sees it: its records as keys and bytes, and the tasks that ask and listen.

pub(crate) mod asker;
pub(crate) mod card;
pub(crate) mod codec;
pub(crate) mod listener;
pub(crate) mod survey;
