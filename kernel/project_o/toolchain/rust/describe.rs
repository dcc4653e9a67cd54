//! The description of a cell: the compiler writes the types of all functions as JSON into one constant, which the host
//! reads from the file without running anything of it.

use crate::kind::{Function, Kind, blocked, offered};

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
        self.unsigned(value as u128);
    }

    const fn signed(&mut self, value: i128) {
        if value < 0 {
            self.byte(b'-');
        }
        self.unsigned(value.unsigned_abs());
    }

    const fn unsigned(&mut self, value: u128) {
        if value >= 10 {
            self.unsigned(value / 10);
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
        if matches!(kind.kind.as_bytes(), b"struct" | b"tuple" | b"enum") {
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
        if !kind.numbers.is_empty() {
            self.raw(",\"numbers\":[");
            let mut i = 0;
            while i < kind.numbers.len() {
                if i > 0 {
                    self.byte(b',');
                }
                self.signed(kind.numbers[i]);
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
        let spelled = spelled.as_bytes();
        self.raw(if !starts(spelled, b"o::View") {
            reason(spelled)
        } else if kind.length > 0 {
            "views have 1 to 8 dimensions, and hold bool, 8 to 64 bit integers, floats, or structs of these"
        } else {
            "return a Vec, which becomes a new array, and .reshape it in Python; rows of a known length can be Vec<[T; N]>"
        });
    }
}

/// Why a type that is spelled like this does not cross. An alias tells nothing.
const fn reason(spelled: &[u8]) -> &'static str {
    let fixed = contains(spelled, b';');
    if starts(spelled, b"*") {
        "pointers cannot be passed, use a slice"
    } else if starts(spelled, b"[") {
        "arrays by value hold bool, 8 to 64 bit integers or floats"
    } else if starts(spelled, b"&mut ") && (fixed || !starts(spelled, b"&mut [")) {
        "of what is behind a &mut only slices cross"
    } else if starts(spelled, b"Vec<String>") || starts(spelled, b"Vec<&str>") || starts(spelled, b"&[String]") || starts(spelled, b"&[&str]") {
        "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these: join texts to one, and split it in Python"
    } else if starts(spelled, b"Vec<(") || starts(spelled, b"&[(") || starts(spelled, b"&mut [(") {
        "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these: write a struct in the tuple's place"
    } else if starts(spelled, b"&[[") || starts(spelled, b"&mut [[") || starts(spelled, b"Vec<[")
        || !fixed && (starts(spelled, b"&[") || starts(spelled, b"&mut [") || starts(spelled, b"Vec<"))
    {
        "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these"
    } else {
        "this type has no counterpart in Python"
    }
}

const fn starts(text: &[u8], with: &[u8]) -> bool {
    let mut i = 0;
    while i < with.len() {
        if i >= text.len() || text[i] != with[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn contains(text: &[u8], sign: u8) -> bool {
    let mut i = 0;
    while i < text.len() {
        if text[i] == sign {
            return true;
        }
        i += 1;
    }
    false
}
