//! What users see of `rcronctl`, on the program itself and on journals that `rcron` has written.

mod history;
mod interrupted;
mod scene;
mod status;
mod switching;
