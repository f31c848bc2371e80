//! Puts a switch at every place where a mutant differs from what stands there. One build then has all of them, and a
//! number in the environment says which one is on.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, BinOp, Block, Expr, Signature, UnOp};

use crate::values;

/// The module that all switches ask; a crate without the standard library gets it for this.
pub(crate) const MODULE: &str = include_str!("switch.rs.txt");

/// What could be different in one place.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// Its number in the environment.
    pub(crate) number: usize,
    /// No switch can be there.
    pub(crate) in_constant: bool,
    pub(crate) file: String,
    line: usize,
    column: usize,
    function: String,
    what: String,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, function, what, .. } = self;
        write!(f, "{file}:{line}:{column}: {what} in {function}")
    }
}

/// What cannot be: it does not compile, or a constant needs it.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) unviable: BTreeSet<usize>,
    /// Names of functions that constants call; no switch can be in them.
    pub(crate) constants: BTreeSet<String>,
}

enum Change {
    /// `left operator right`, with other operators by number.
    Binary {
        left: Range<usize>,
        operator: &'static str,
        right: Range<usize>,
        others: Vec<(usize, &'static str)>,
    },
    /// An operator before its operand is left out.
    Unary {
        operand: Range<usize>,
        number: usize,
    },
    /// Something is returned before anything is done.
    Body(Vec<(usize, String)>),
    /// What it would match goes to the last arm.
    Arm(usize),
    Guard {
        always: usize,
        never: usize,
    },
    /// A field is as in the base.
    Fields {
        path: Range<usize>,
        fields: Vec<(usize, Range<usize>)>,
        base: Range<usize>,
    },
    /// What has a switch in it is no constant.
    NoConst,
}

struct Edit {
    range: Range<usize>,
    change: Change,
}

/// The text with switches, and what they are; numbers go on from `mutants`.
pub(crate) fn plant(file: &str, source: &str, left: &Left, mutants: &mut Vec<Mutant>) -> Result<String, String> {
    let tree = syn::parse_file(source).map_err(|error| format!("{file}: {error}"))?;
    let mut planter =
        Planter { file, source, left, mutants, edits: Vec::new(), functions: Vec::new(), in_constant: false };
    planter.visit_file(&tree);
    let mut edits = planter.edits;
    edits.sort_by_key(|edit| (edit.range.start, usize::MAX - edit.range.end));
    Ok(render(source, &edits, 0, 0..source.len()))
}

struct Planter<'p> {
    file: &'p str,
    source: &'p str,
    left: &'p Left,
    mutants: &'p mut Vec<Mutant>,
    edits: Vec<Edit>,
    functions: Vec<String>,
    in_constant: bool,
}

impl Planter<'_> {
    /// The number of a new mutant, unless it does not compile.
    fn add(&mut self, at: proc_macro2::Span, what: String) -> Option<usize> {
        let number = self.mutants.len();
        let start = at.start();
        self.mutants.push(Mutant {
            number,
            in_constant: self.in_constant,
            file: self.file.to_owned(),
            line: start.line,
            column: start.column + 1,
            function: self.functions.join("::"),
            what,
        });
        (!self.in_constant && !self.left.unviable.contains(&number)).then_some(number)
    }

    fn function(&mut self, signature: &Signature, block: &Block, is_method: bool, go_on: impl FnOnce(&mut Self)) {
        let name = signature.ident.to_string();
        let is_constant = signature.constness.is_some() && self.left.constants.contains(&name);
        if signature.unsafety.is_some() {
            return;
        }
        let outer = std::mem::replace(&mut self.in_constant, is_constant);
        if let Some(constness) = signature.constness
            && !is_constant
        {
            self.edits.push(Edit { range: constness.span.byte_range(), change: Change::NoConst });
        }
        if block.stmts.is_empty() || (is_method && name == "new") {
            self.in_constant = outer;
            return;
        }
        self.functions.push(name);
        let body = block.stmts.iter().map(|statement| statement.to_token_stream().to_string()).collect::<String>();
        let mut found = Vec::new();
        for value in values::of_return(&signature.output) {
            if value.replace(' ', "") == body.replace(' ', "") {
                continue;
            }
            let shown = if value.is_empty() { "()" } else { &value };
            let shown = shown.replace("::core::default::", "").replace("crate::mutants::", "");
            let number = self.add(block.span(), format!("the body is {shown}"));
            found.extend(number.map(|number| (number, value)));
        }
        let begin = block.brace_token.span.open().byte_range().end;
        self.edits.push(Edit { range: begin..begin, change: Change::Body(found) });
        go_on(self);
        self.functions.pop();
        self.in_constant = outer;
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || (text.starts_with("cfg") && text.contains("test") && !text.contains("not"))
    })
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// The operator as it stands there, and those that could.
fn operators(operator: &BinOp) -> (&'static str, &'static [&'static str]) {
    match operator {
        BinOp::Eq(_) => ("==", &["!="]),
        BinOp::Ne(_) => ("!=", &["=="]),
        BinOp::And(_) => ("&&", &["||"]),
        BinOp::Or(_) => ("||", &["&&"]),
        BinOp::Lt(_) => ("<", &["==", ">", "<="]),
        BinOp::Gt(_) => (">", &["==", "<", ">="]),
        BinOp::Le(_) => ("<=", &[">"]),
        BinOp::Ge(_) => (">=", &["<"]),
        BinOp::Add(_) => ("+", &["-", "*"]),
        BinOp::Sub(_) => ("-", &["+", "/"]),
        BinOp::Mul(_) => ("*", &["+", "/"]),
        BinOp::Div(_) => ("/", &["%", "*"]),
        BinOp::Rem(_) => ("%", &["/", "+"]),
        BinOp::Shl(_) => ("<<", &[">>"]),
        BinOp::Shr(_) => (">>", &["<<"]),
        BinOp::BitAnd(_) => ("&", &["|", "^"]),
        BinOp::BitOr(_) => ("|", &["&", "^"]),
        BinOp::BitXor(_) => ("^", &["|", "&"]),
        BinOp::AddAssign(_) => ("+=", &["-=", "*="]),
        BinOp::SubAssign(_) => ("-=", &["+=", "/="]),
        BinOp::MulAssign(_) => ("*=", &["+=", "/="]),
        BinOp::DivAssign(_) => ("/=", &["%=", "*="]),
        BinOp::RemAssign(_) => ("%=", &["/=", "+="]),
        BinOp::ShlAssign(_) => ("<<=", &[">>="]),
        BinOp::ShrAssign(_) => (">>=", &["<<="]),
        BinOp::BitAndAssign(_) => ("&=", &["|="]),
        BinOp::BitOrAssign(_) => ("|=", &["&="]),
        BinOp::BitXorAssign(_) => ("^=", &["|=", "&="]),
        _ => ("", &[]),
    }
}

impl<'a> Visit<'a> for Planter<'_> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|last| last.ident.to_string());
        // Another default is seldom wrong, and what is printed for debugging is nobody's business.
        if is_for_tests(&item.attrs) || of.as_deref().is_some_and(|of| of == "Default" || of == "Debug") {
            return;
        }
        let name = item.self_ty.to_token_stream().to_string().replace(' ', "");
        self.functions.push(of.map_or(name.clone(), |of| format!("<{name} as {of}>")));
        visit::visit_item_impl(self, item);
        self.functions.pop();
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.function(&item.sig, &item.block, false, |this| this.visit_block(&item.block));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.function(&item.sig, &item.block, true, |this| this.visit_block(&item.block));
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block, true, |this| this.visit_block(block));
        }
    }

    // Constants, all of them.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'a syn::TraitItemConst) {}
    fn visit_item_enum(&mut self, _: &'a syn::ItemEnum) {}
    fn visit_item_struct(&mut self, _: &'a syn::ItemStruct) {}
    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_generic_argument(&mut self, _: &'a syn::GenericArgument) {}
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_expr_repeat(&mut self, repeat: &'a syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_expr_binary(&mut self, binary: &'a syn::ExprBinary) {
        let (operator, others) = operators(&binary.op);
        let is_chain =
            matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) && (has_let(&binary.left) || has_let(&binary.right));
        if !is_chain && !others.is_empty() {
            let mut found = Vec::new();
            for other in others {
                let number = self.add(binary.op.span(), format!("{operator} is {other}"));
                found.extend(number.map(|number| (number, *other)));
            }
            let (left, right) = (binary.left.span().byte_range(), binary.right.span().byte_range());
            let change = Change::Binary { left, operator, right, others: found };
            self.edits.push(Edit { range: binary.span().byte_range(), change });
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a syn::ExprUnary) {
        let operator = match unary.op {
            UnOp::Not(_) => Some("!"),
            UnOp::Neg(_) => Some("-"),
            _ => None,
        };
        if let Some(operator) = operator
            && let Some(number) = self.add(unary.op.span(), format!("no {operator}"))
        {
            let operand = unary.expr.span().byte_range();
            self.edits.push(Edit { range: unary.span().byte_range(), change: Change::Unary { operand, number } });
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, item: &'a syn::ExprMatch) {
        let catches_all = item.arms.iter().any(|arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none());
        for arm in &item.arms {
            let pattern = &self.source[arm.pat.span().byte_range()];
            let pattern = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((_, guard)) = &arm.guard {
                let always = self.add(guard.span(), "the guard is true".to_owned());
                let never = self.add(guard.span(), "the guard is false".to_owned());
                if let (Some(always), Some(never)) = (always, never) {
                    let range = guard.span().byte_range();
                    self.edits.push(Edit { range, change: Change::Guard { always, never } });
                }
            } else if catches_all && !matches!(arm.pat, syn::Pat::Wild(_)) {
                let end = arm.pat.span().byte_range().end;
                if let Some(number) = self.add(arm.pat.span(), format!("no arm {pattern}")) {
                    self.edits.push(Edit { range: end..end, change: Change::Arm(number) });
                }
            }
        }
        visit::visit_expr_match(self, item);
    }

    fn visit_expr_struct(&mut self, item: &'a syn::ExprStruct) {
        if let Some(base) = &item.rest {
            let mut fields = Vec::new();
            for field in &item.fields {
                let name = field.member.to_token_stream().to_string();
                if let Some(number) = self.add(field.span(), format!("no field {name}")) {
                    fields.push((number, field.span().byte_range()));
                }
            }
            // All or none: what is left of some would be mixed with what was left out.
            if fields.len() == item.fields.len() {
                let (path, base) = (item.path.span().byte_range(), base.span().byte_range());
                self.edits
                    .push(Edit { range: item.span().byte_range(), change: Change::Fields { path, fields, base } });
            }
        }
        visit::visit_expr_struct(self, item);
    }
}

/// A part of the text with its edits, of which those before `from` are around it.
fn render(source: &str, edits: &[Edit], from: usize, range: Range<usize>) -> String {
    let mut text = String::new();
    let mut at = range.start;
    for (index, edit) in edits.iter().enumerate().skip(from) {
        if edit.range.start >= at && edit.range.end <= range.end {
            text.push_str(&source[at..edit.range.start]);
            text.push_str(&changed(source, edits, index));
            at = edit.range.end;
        }
    }
    text.push_str(&source[at..range.end]);
    text
}

fn changed(source: &str, edits: &[Edit], index: usize) -> String {
    let edit = &edits[index];
    let inner = |range: &Range<usize>| render(source, edits, index + 1, range.clone());
    let is = |number: usize| format!("if crate::mutants::is({number}) ");
    match &edit.change {
        Change::Binary { left, operator, right, others } => {
            if others.is_empty() {
                return inner(&edit.range);
            }
            let (left, right) = (inner(left), inner(right));
            if matches!(*operator, "&&" | "||") {
                // Long chains would double with each link.
                let other =
                    others.iter().map(|(number, other)| format!("{}{{ __l {other} ({right}) }} else ", is(*number)));
                return format!(
                    "({{ let __l = {left}; {}{{ __l {operator} ({right}) }} }})",
                    other.collect::<String>()
                );
            }
            let other =
                others.iter().map(|(number, other)| format!("{}{{ ({left}) {other} ({right}) }} else ", is(*number)));
            format!("({}{{ ({left}) {operator} ({right}) }})", other.collect::<String>())
        }
        Change::Unary { operand, number } => {
            format!("({}{{ {} }} else {{ {} }})", is(*number), inner(operand), inner(&edit.range))
        }
        Change::Body(values) => {
            values.iter().map(|(number, value)| format!(" {}{{ return {value}; }} ", is(*number))).collect()
        }
        Change::Arm(number) => format!(" if !crate::mutants::is({number})"),
        Change::Guard { always, never } => {
            format!("({}{{ true }} else {}{{ false }} else {{ {} }})", is(*always), is(*never), inner(&edit.range))
        }
        Change::Fields { path, fields, base } => {
            let (path, base) = (&source[path.clone()], inner(base));
            let without = fields.iter().map(|(number, _)| {
                let others = fields.iter().filter(|(other, _)| other != number);
                let others = others.map(|(_, range)| format!("{}, ", inner(range))).collect::<String>();
                format!("{}{{ {path} {{ {others} ..{base} }} }} else ", is(*number))
            });
            format!("({}{{ {} }})", without.collect::<String>(), inner(&edit.range))
        }
        Change::NoConst => String::new(),
    }
}
