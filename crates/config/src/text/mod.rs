//! From files to plain lines: comments, `include`, `@id` lines, `$` definitions, `~SEQ` and `~LST`.
//!
//! Every character remembers where it was written, so that a mistake in an expanded line can be shown in the
//! file. What the words of a line mean is left to `syntax` and later stages.

mod builtin;
mod definitions;
mod glob;
mod glyph;
mod include;
mod reader;
mod record;
mod repeat;

pub(crate) use glyph::{Glyph, is_blank, span_of, text_of};
pub(crate) use include::is_include;
pub(crate) use reader::{LineSink, Reading, read};
pub(crate) use record::Record;
