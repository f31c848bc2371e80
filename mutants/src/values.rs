//! What a function could return instead, by its type: the same values that cargo-mutants tries.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

/// At most so many for one function; a tuple of options has no end of them.
const MOST: usize = 8;

pub(crate) fn of_return(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec![String::new()],
        ReturnType::Type(_, ty) => of(ty),
    }
}

fn of(ty: &Type) -> Vec<String> {
    let mut values = match ty {
        Type::Path(path) => of_path(path),
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => vec!["\"\"".into(), "\"xyzzy\"".into()],
            Type::Slice(slice) => {
                let one = of(&slice.elem).into_iter().map(|value| format!("crate::mutants::leak([{value}])"));
                std::iter::once("&mut []".to_owned()).chain(one).collect()
            }
            other => of(other).iter().map(|value| format!("crate::mutants::leak({value})")).collect(),
        },
        Type::Array(array) => {
            let len = quote::quote!(#array).to_string();
            let len = len.rsplit_once(';').map_or("", |(_, len)| len.trim_end_matches(']')).to_owned();
            of(&array.elem).iter().map(|value| format!("[{value};{len}]")).collect()
        }
        Type::Tuple(tuple) => tuple.elems.iter().fold(vec![String::new()], |all, elem| {
            let each = of(elem);
            all.iter().flat_map(|begun| each.iter().map(move |value| format!("{begun}{value},"))).collect()
        }),
        // The type behind it is the one that the body has, and nothing else.
        Type::ImplTrait(_) | Type::Never(_) => Vec::new(),
        _ => vec![default()],
    };
    if let Type::Tuple(_) = ty {
        values.iter_mut().for_each(|value| *value = format!("({value})"));
    }
    values.truncate(MOST);
    values
}

fn of_path(path: &syn::TypePath) -> Vec<String> {
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let inner: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    };
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let each = |begin: &str, end: &str| {
        inner
            .first()
            .map(|ty| of(ty))
            .unwrap_or_default()
            .iter()
            .map(|value| format!("{begin}{value}{end}"))
            .collect::<Vec<_>>()
    };
    match last.ident.to_string().as_str() {
        "bool" => owned(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => owned(&["0", "1"]),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => owned(&["0", "1", "-1"]),
        "f32" | "f64" => owned(&["0.0", "1.0", "-1.0"]),
        "String" => owned(&["::core::default::Default::default()", "::core::convert::From::from(\"xyzzy\")"]),
        "Result" if inner.is_empty() => vec!["Ok(::core::default::Default::default())".to_owned()],
        "Result" => match inner.first() {
            Some(Type::Tuple(unit)) if unit.elems.is_empty() => vec!["Ok(())".to_owned()],
            _ => each("Ok(", ")"),
        },
        "Option" => [vec!["None".to_owned()], each("Some(", ")")].concat(),
        "Vec" | "VecDeque" | "BTreeSet" => {
            [vec![default()], each("::core::iter::Iterator::collect(::core::iter::once(", "))")].concat()
        }
        "Box" | "Arc" | "Rc" => each("::core::convert::From::from(", ")"),
        _ => vec![default()],
    }
}

fn default() -> String {
    "::core::default::Default::default()".to_owned()
}
