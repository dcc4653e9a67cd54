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

<<<<<<< ours
// ------------------------------------------------------------------------------- JSON

/// How many bytes `description` has, the zero at its end included.
pub const fn description_length(functions: &[Function]) -> usize {
    let mut text = Text::<0> { bytes: [], len: 0 };
    text.describe(functions);
    text.len
}

/// {"functions": [...], "skipped": [[name, reason], ...]} and a zero.
pub const fn description<const N: usize>(functions: &[Function]) -> [u8; N] {
    let mut text = Text::<N> { bytes: [0; N], len: 0 };
    text.describe(functions);
    text.bytes
}

/// Text that counts what does not fit.
pub(crate) struct Text<const N: usize> {
    pub(crate) bytes: [u8; N],
    pub(crate) len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn byte(&mut self, byte: u8) {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    pub(crate) const fn raw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    /// Text inside a string of JSON.
    pub(crate) const fn inner(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                b'"' | b'\\' => {
                    self.byte(b'\\');
                    self.byte(bytes[i]);
                }
                0..=31 => self.byte(b' '),
                other => self.byte(other),
            }
            i += 1;
        }
    }

    pub(crate) const fn quoted(&mut self, text: &str) {
        self.byte(b'"');
        self.inner(text);
        self.byte(b'"');
    }

    pub(crate) const fn number(&mut self, value: usize) {
        if value >= 10 {
            self.number(value / 10);
        }
        self.byte(b'0' + (value % 10) as u8);
    }

    const fn describe(&mut self, functions: &[Function]) {
        self.raw("{\"functions\":[");
        let mut first = true;
        let mut i = 0;
        while i < functions.len() {
            if offered(&functions[i]) {
                self.comma(&mut first);
                self.function(&functions[i]);
            }
            i += 1;
        }
        self.raw("],\"skipped\":[");
        first = true;
        i = 0;
        while i < functions.len() {
            if !offered(&functions[i]) {
                self.comma(&mut first);
                self.byte(b'[');
                self.quoted(functions[i].name);
                self.raw(",\"");
                self.reason(&functions[i]);
                self.raw("\"]");
            }
            i += 1;
        }
        self.raw("]}");
        self.byte(0);
    }

    const fn comma(&mut self, first: &mut bool) {
        if !*first {
            self.byte(b',');
        }
        *first = false;
    }

    const fn function(&mut self, function: &Function) {
        self.raw("{\"name\":");
        self.quoted(function.name);
        self.raw(",\"parameters\":[");
        let mut first = true;
        let mut i = 0;
        while i < function.parameters.len() {
            self.comma(&mut first);
            self.kind(function.parameters[i].1);
            i += 1;
        }
        self.raw("],\"result\":");
        self.kind(function.result.1);
        self.byte(b'}');
    }

    const fn kind(&mut self, kind: &Kind) {
        self.raw("{\"kind\":");
        self.quoted(kind.kind);
        if kind.bits > 0 {
            self.raw(",\"bits\":");
            self.number(kind.bits as usize);
            self.raw(if kind.signed { ",\"signed\":true" } else { ",\"signed\":false" });
        }
        if kind.length > 0 {
            self.raw(",\"length\":");
            self.number(kind.length);
        }
        if kind.constant {
            self.raw(",\"const\":true");
        }
        if let Some(child) = kind.child {
            self.raw(",\"child\":");
            self.kind(child);
        }
        if matches!(kind.kind.as_bytes(), b"struct" | b"tuple") {
            self.raw(",\"name\":");
            self.quoted(kind.name);
            self.raw(",\"fields\":[");
            let mut first = true;
            let mut i = 0;
            while i < kind.fields.len() {
                self.comma(&mut first);
                self.byte(b'[');
                self.quoted(kind.fields[i].0);
                self.byte(b',');
                self.kind(kind.fields[i].1);
                self.byte(b']');
                i += 1;
            }
            self.byte(b']');
        }
        self.byte(b'}');
    }

    /// Why a function is not offered, inside a string of JSON.
    const fn reason(&mut self, function: &Function) {
        if !function.note.is_empty() {
            self.inner(function.note);
            return;
        }
        let mut i = 0;
        while i < function.parameters.len() {
            let (spelled, kind) = function.parameters[i];
            if blocked(kind) {
                self.raw("parameter ");
                self.number(i + 1);
                self.raw(": ");
                self.obstacle(spelled, kind);
                return;
            }
            i += 1;
        }
        self.raw("result: ");
        self.obstacle(function.result.0, function.result.1);
    }

    const fn obstacle(&mut self, spelled: &str, kind: &Kind) {
        self.inner(spelled);
        self.raw(": ");
        if matches!(kind.kind.as_bytes(), b"array") {
            self.raw("arrays by value have 1 to 1024 elements, pass a slice");
            return;
        }
        let mut i = 0;
        while i < kind.fields.len() {
            if blocked(kind.fields[i].1) {
                self.raw("the type of field ");
                self.inner(kind.fields[i].0);
                self.raw(" has no counterpart in Python");
                return;
            }
            i += 1;
        }
        self.raw("this type has no counterpart in Python");
    }
}

const fn offered(function: &Function) -> bool {
=======
// ------------------------------------------------------------------------------- what can cross

/// Whether Python can call a function.
pub(crate) const fn offered(function: &Function) -> bool {
>>>>>>> theirs
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
        if blocked(child) {
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
