//! Types as data. Every mapped type has a tree of `Kind`s in its associated constants.

/// A type as Python shall see it. `kind` is a word of kernel/project_o/values.py, or "" for what is not mapped.
pub struct Kind {
    pub kind: &'static str,
    pub bits: u32,
    pub signed: bool,
    pub constant: bool,
    pub length: usize,
    pub child: Option<&'static Kind>,
    pub name: &'static str,
    pub fields: &'static [(&'static str, &'static Kind)],
    /// The values of an enum; the size and the offsets of a struct that may be an element of an array.
    pub numbers: &'static [i128],
}

impl Kind {
    /// A type that cannot cross.
    pub const UNMAPPED: Kind = Kind {
        kind: "",
        bits: 0,
        signed: false,
        constant: false,
        length: 0,
        child: None,
        name: "",
        fields: &[],
        numbers: &[],
    };
}

/// The size and offsets of a struct; nothing where one of its fields cannot be part of an array.
pub const fn numbers_of(item: &'static Kind) -> &'static [i128] {
    if blocked_fields(item) { &[] } else { item.numbers }
}

/// Whether an enum has a value below zero.
pub const fn any_negative(numbers: &[i128]) -> bool {
    let mut i = 0;
    while i < numbers.len() {
        if numbers[i] < 0 {
            return true;
        }
        i += 1;
    }
    false
}

/// A public function of the cell. `note` says why it is not offered, "" where only its types can tell.
pub struct Function {
    pub name: &'static str,
    pub note: &'static str,
    /// The types as the cell spells them, and what they are.
    pub parameters: &'static [(&'static str, &'static Kind)],
    pub result: (&'static str, &'static Kind),
}

/// Elements of an array by value: each is a cell of its own.
const ARRAY_ELEMENTS_MAX: usize = 1024;

/// How many cells a result of this type takes.
pub const fn cell_count(kind: &Kind) -> usize {
    let child = match kind.child {
        Some(child) => cell_count(child),
        None => 0,
    };
    match kind.kind.as_bytes() {
        b"void" | b"" => 0,
        b"int" if kind.bits > 64 => 2,
        b"slice" => 2,
        b"matrix" => 4,
        b"view" => 1 + 2 * kind.length,
        b"array" => kind.length * child,
        b"optional" => 1 + child,
        b"error_union" => child,
        b"struct" | b"tuple" => {
            let mut sum = 0;
            let mut i = 0;
            while i < kind.fields.len() {
                sum += cell_count(kind.fields[i].1);
                i += 1;
            }
            sum
        }
        _ => 1,
    }
}

/// How many cells an argument of this type takes: an array by value is passed by its address.
pub const fn argument_cell_count(kind: &Kind) -> usize {
    match kind.kind.as_bytes() {
        b"array" => 1,
        b"optional" => match kind.child {
            Some(child) => 1 + argument_cell_count(child),
            None => 1,
        },
        b"struct" | b"tuple" => {
            let mut sum = 0;
            let mut i = 0;
            while i < kind.fields.len() {
                sum += argument_cell_count(kind.fields[i].1);
                i += 1;
            }
            sum
        }
        _ => cell_count(kind),
    }
}

/// Whether a function writes into one of its arguments: only then can two arguments that overlap do harm.
pub const fn writes(function: &Function) -> bool {
    let mut i = 0;
    while i < function.parameters.len() {
        if kind_writes(function.parameters[i].1) {
            return true;
        }
        i += 1;
    }
    false
}

const fn kind_writes(kind: &Kind) -> bool {
    if matches!(kind.kind.as_bytes(), b"slice" | b"matrix" | b"view") && !kind.constant {
        return true;
    }
    if let Some(child) = kind.child {
        if kind_writes(child) {
            return true;
        }
    }
    let mut i = 0;
    while i < kind.fields.len() {
        if kind_writes(kind.fields[i].1) {
            return true;
        }
        i += 1;
    }
    false
}

// ------------------------------------------------------------------------------- what can cross

/// Whether Python can call a function.
pub(crate) const fn offered(function: &Function) -> bool {
    if !function.note.is_empty() || blocked(function.result.1) {
        return false;
    }
    let mut i = 0;
    while i < function.parameters.len() {
        if blocked(function.parameters[i].1) {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether a type, or one that it is made of, cannot cross.
pub(crate) const fn blocked(kind: &Kind) -> bool {
    if kind.kind.is_empty() {
        return true;
    }
    if matches!(kind.kind.as_bytes(), b"array") && (kind.length == 0 || kind.length > ARRAY_ELEMENTS_MAX) {
        return true;
    }
    if let Some(child) = kind.child {
        let rows = matches!(kind.kind.as_bytes(), b"slice") && matches!(child.kind.as_bytes(), b"array");
        if if rows { child.length == 0 } else { blocked(child) } {
            return true;
        }
    }
    blocked_fields(kind)
}

const fn blocked_fields(kind: &Kind) -> bool {
    let mut i = 0;
    while i < kind.fields.len() {
        if blocked(kind.fields[i].1) {
            return true;
        }
        i += 1;
    }
    false
}
