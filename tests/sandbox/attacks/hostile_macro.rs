//! A macro that runs code of its own while somebody else's program is compiled.
extern crate proc_macro;
use proc_macro::TokenStream;
use std::{env, fs};

/// `steal!("path")` is what the file holds; `plant!("path")` makes a file.
#[proc_macro]
pub fn steal(input: TokenStream) -> TokenStream {
    let path = input.to_string().trim_matches('"').to_string();
    let text = fs::read_to_string(&path).unwrap_or_else(|_| env::var("O_ATTACK_SECRET").unwrap_or_default());
    format!("{text:?}").parse().unwrap()
}

#[proc_macro]
pub fn plant(input: TokenStream) -> TokenStream {
    let path = input.to_string().trim_matches('"').to_string();
    let _ = fs::write(&path, "planted");
    "()".parse().unwrap()
}
