//! From lines to a tree of entries and blocks: quotes, words and braces. It knows no keywords and never fails.

mod lexer;
mod tree;

pub(crate) use tree::{Block, Entry, Tree, TreeBuilder, Word};
