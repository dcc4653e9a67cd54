//! What of a cell Python can call, and its description as JSON: the types that are mapped, in words why others are
//! not, and the names. Everything here happens at compile time.

const std = @import("std");
const state = @import("state.zig");

const array_elements_max = 1024;

pub fn isAllocator(comptime T: type) bool {
    return T == std.mem.Allocator;
}

pub fn isMatrix(comptime T: type) bool {
    return @typeInfo(T) == .@"struct" and @hasDecl(T, "o_matrix");
}

pub fn isView(comptime T: type) bool {
    return @typeInfo(T) == .@"struct" and @hasDecl(T, "o_view");
}

/// Numbers that numpy has a type for.
fn isNumber(comptime T: type) bool {
    return switch (@typeInfo(T)) {
        .bool => true,
        .int => |i| i.bits == 8 or i.bits == 16 or i.bits == 32 or i.bits == 64,
        .float => |f| f.bits <= 64,
        else => false,
    };
}

/// What an array may hold: numbers, and structs of numbers, of arrays of numbers, and of such structs.
fn isElement(comptime T: type) bool {
    if (isNumber(T)) return true;
    const s = switch (@typeInfo(T)) {
        .@"struct" => |s| s,
        else => return false,
    };
    if (s.layout == .@"packed" or s.field_names.len == 0 or isMatrix(T) or isView(T) or isAllocator(T)) return false;
    for (s.field_types, s.field_attrs) |F, attrs| {
        if (attrs.@"comptime" or !(isElement(F) or isPart(F))) return false;
    }
    return true;
}

/// A few numbers side by side, as a field of such a struct.
fn isPart(comptime T: type) bool {
    return switch (@typeInfo(T)) {
        .array => |a| a.len > 0 and isNumber(a.child),
        else => false,
    };
}

/// The same as what a slice holds, which is an array of two dimensions: nothing may stand between the rows.
fn isRow(comptime T: type) bool {
    return isPart(T) and @typeInfo(T).array.sentinel() == null;
}

const Role = enum { parameter, result };

/// Why a type cannot cross, in words for the user; null where it can.
fn obstacle(comptime T: type, comptime role: Role) ?[]const u8 {
    return switch (@typeInfo(T)) {
        .void, .noreturn => if (role == .parameter) "void cannot be passed" else null,
        .bool => null,
        .int => |i| if (i.bits == 0 or i.bits > 128) named(T, "integers have 1 to 128 bits here") else null,
        .float => |f| if (f.bits > 64) named(T, "floats have up to 64 bits here") else null,
        .pointer => |p| pointerObstacle(T, p),
        .@"enum" => |e| enumObstacle(T, e),
        .array => |a| if (!isNumber(a.child))
            named(T, "arrays by value hold bool, 8 to 64 bit integers or floats")
        else if (a.len > array_elements_max)
            named(T, "arrays by value have up to 1024 elements, pass a slice")
        else
            null,
        .optional => |p| switch (@typeInfo(p.child)) {
            .optional, .void => named(T, "None would have two meanings"),
            else => obstacle(p.child, role),
        },
        .error_union => |e| if (role == .parameter) named(T, "errors cannot be passed") else obstacle(e.payload, role),
        .@"struct" => |s| structObstacle(T, s, role),
        else => named(T, "this kind of type has no counterpart in Python"),
    };
}

fn pointerObstacle(comptime T: type, comptime p: std.lang.Type.Pointer) ?[]const u8 {
    if (p.size != .slice) return named(T, "pointers cannot be passed, use a slice");
    if (!isElement(p.child) and !isRow(p.child))
        return named(T, "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these" ++ instead(p.child));
    if (p.attrs.@"volatile" or p.attrs.@"allowzero") return named(T, "volatile and allowzero slices are not mapped");
    if (p.attrs.@"align") |a| if (a > @alignOf(p.child))
        return named(T, "arrays from Python are not aligned beyond their elements");
    if (p.sentinel()) |s| if (p.child != u8 or !p.attrs.@"const" or s != 0)
        return named(T, "of the slices with a sentinel only [:0]const u8 is mapped");
    return null;
}

/// What to write where a slice holds something else; nothing where that is not known.
fn instead(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .pointer => |p| if (p.size == .slice and p.child == u8) ": join the texts to one, and split it in Python" else "",
        .@"struct" => |s| for (s.field_names, s.field_types) |name, F| {
            if (!isElement(F) and !isPart(F)) break ", which its field " ++ name ++ " is not";
        } else "",
        else => "",
    };
}

fn enumObstacle(comptime T: type, comptime e: std.lang.Type.Enum) ?[]const u8 {
    if (@typeInfo(e.tag_type).int.bits > 64) return named(T, "the tags of enums have up to 64 bits here");
    return if (e.field_names.len == 0) named(T, "an enum without names has no counterpart in Python") else null;
}

const returned = "return a slice, which becomes a new array, and .reshape it in Python; rows of a known length can be [][N]T";

fn structObstacle(comptime T: type, comptime s: std.lang.Type.Struct, comptime role: Role) ?[]const u8 {
    if (isAllocator(T)) return named(T, "an allocator is given as a parameter of its own");
    if (isMatrix(T)) {
        if (role == .result) return named(T, returned);
        return if (isNumber(T.o_matrix.child)) null else named(T, "matrices hold bool, 8 to 64 bit integers or floats");
    }
    if (isView(T)) {
        if (role == .result) return named(T, returned);
        if (T.o_view.dimensions < 1 or T.o_view.dimensions > 8) return named(T, "views have 1 to 8 dimensions");
        return if (isElement(T.o_view.child)) null else named(T, "views hold what slices hold");
    }
    if (s.layout == .@"packed") return named(T, "packed structs are not mapped");
    for (s.field_names, s.field_types, s.field_attrs) |name, F, attrs| {
        if (attrs.@"comptime") return named(T, "field " ++ name ++ " is comptime");
        if (obstacle(F, role)) |why| return "field " ++ name ++ ": " ++ why;
    }
    return null;
}

fn named(comptime T: type, comptime why: []const u8) []const u8 {
    return shortName(T) ++ ": " ++ why;
}

/// Why a function cannot be offered; null where it can.
fn functionObstacle(comptime F: type) ?[]const u8 {
    const info = @typeInfo(F).@"fn";
    if (info.attrs.varargs) return "it takes a variable number of arguments";
    for (info.param_types, 1..) |parameter, number| {
        const where = "parameter " ++ decimal(number) ++ ": ";
        const P = parameter orelse return where ++ "anytype or a type that depends on another parameter";
        if (isAllocator(P) or (number == 1 and state.isState(P))) continue;
        if (obstacle(P, .parameter)) |why| return where ++ why;
    }
    if (info.is_generic) return "it has a comptime parameter";
    const R = info.return_type orelse return "its result type depends on its parameters";
    if (obstacle(R, .result)) |why| return "result: " ++ why;
    return null;
}

// ------------------------------------------------------------------------------- description

/// The name without the modules it stands in: `cell.Point` is `Point`.
fn shortName(comptime T: type) []const u8 {
    const full = @typeName(T);
    var start: usize = 0;
    var end: usize = 0;
    while (end < full.len and full[end] != '(') : (end += 1) {
        if (full[end] == '.') start = end + 1;
    }
    // What has no name of its own is called after where it stands.
    for ([_][]const u8{ "struct", "enum" }) |kind| {
        if (std.mem.find(u8, full[start..end], "__" ++ kind ++ "_") != null) return kind;
    }
    return full[start..];
}

// `std.fmt` at compile time costs more than all of the description.

pub fn decimal(comptime value: usize) []const u8 {
    const last = [1]u8{'0' + @as(u8, value % 10)};
    return if (value < 10) &last else decimal(value / 10) ++ &last;
}

fn integer(comptime value: comptime_int) []const u8 {
    if (value < 0) return "-" ++ integer(-value);
    const last = [1]u8{'0' + @as(u8, value % 10)};
    return if (value < 10) &last else integer(value / 10) ++ &last;
}

pub fn boolean(comptime value: bool) []const u8 {
    return if (value) "true" else "false";
}

pub fn quoted(comptime text: []const u8) []const u8 {
    if (for (text) |c| {
        if (c < 32 or c == '"' or c == '\\') break false;
    } else true) return "\"" ++ text ++ "\"";
    var out: []const u8 = "\"";
    for (text) |c| out = out ++ switch (c) {
        '"', '\\' => &[_]u8{ '\\', c },
        0...31 => "?",
        else => &[_]u8{c},
    };
    return out ++ "\"";
}

fn describeType(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .void, .noreturn => "{\"kind\":\"void\"}",
        .bool => "{\"kind\":\"bool\",\"bits\":8}",
        .int => |i| "{\"kind\":\"int\",\"bits\":" ++ decimal(i.bits) ++ ",\"signed\":" ++ boolean(i.signedness == .signed) ++ "}",
        .float => |f| "{\"kind\":\"float\",\"bits\":" ++ decimal(f.bits) ++ ",\"signed\":true}",
        .pointer => |p| "{\"kind\":\"slice\",\"const\":" ++ boolean(p.attrs.@"const") ++
            ",\"sentinel\":" ++ boolean(p.sentinel() != null) ++ ",\"child\":" ++ describeType(p.child) ++ "}",
        .array => |a| "{\"kind\":\"array\",\"length\":" ++ decimal(a.len) ++ ",\"child\":" ++ describeType(a.child) ++ "}",
        .optional => |p| "{\"kind\":\"optional\",\"child\":" ++ describeType(p.child) ++ "}",
        .error_union => |e| "{\"kind\":\"error_union\",\"child\":" ++ describeType(e.payload) ++ "}",
        .@"enum" => |e| describeEnum(T, e),
        .@"struct" => |s| if (isMatrix(T)) "{\"kind\":\"matrix\",\"const\":" ++ boolean(T.o_matrix.is_const) ++
            ",\"child\":" ++ describeType(T.o_matrix.child) ++ "}" else if (isView(T))
            "{\"kind\":\"view\",\"const\":" ++ boolean(T.o_view.is_const) ++ ",\"length\":" ++
                decimal(T.o_view.dimensions) ++ ",\"child\":" ++ describeType(T.o_view.child) ++ "}"
        else
            describeStruct(T, s),
        else => unreachable,
    };
}

fn describeEnum(comptime T: type, comptime e: std.lang.Type.Enum) []const u8 {
    const tag = @typeInfo(e.tag_type).int;
    var names: []const u8 = "";
    var numbers: []const u8 = "";
    for (e.field_names, e.field_values, 0..) |name, value, i| {
        names = names ++ (if (i > 0) "," else "") ++ "[" ++ quoted(name) ++ ",{\"kind\":\"void\"}]";
        numbers = numbers ++ (if (i > 0) "," else "") ++ integer(value);
    }
    return "{\"kind\":\"enum\",\"bits\":" ++ decimal(tag.bits) ++ ",\"signed\":" ++ boolean(tag.signedness == .signed) ++
        ",\"const\":" ++ boolean(e.mode == .exhaustive) ++ ",\"name\":" ++ quoted(shortName(T)) ++
        ",\"fields\":[" ++ names ++ "],\"numbers\":[" ++ numbers ++ "]}";
}

fn describeStruct(comptime T: type, comptime s: std.lang.Type.Struct) []const u8 {
    var out: []const u8 = "{\"kind\":\"" ++ (if (s.is_tuple) "tuple" else "struct") ++ "\",\"name\":" ++
        (if (s.is_tuple) "\"\"" else quoted(shortName(T))) ++ ",\"fields\":[";
    for (s.field_names, s.field_types, 0..) |name, F, i| {
        out = out ++ (if (i > 0) "," else "") ++ "[" ++ quoted(name) ++ "," ++ describeType(F) ++ "]";
    }
    if (!isElement(T) or s.is_tuple) return out ++ "]}";
    out = out ++ "],\"numbers\":[" ++ decimal(@sizeOf(T));
    for (s.field_names) |name| out = out ++ "," ++ decimal(@offsetOf(T, name));
    return out ++ "]}";
}

fn describeState(comptime P: type) []const u8 {
    return "{\"kind\":\"context\",\"const\":" ++ boolean(@typeInfo(P).pointer.attrs.@"const") ++ "}";
}

fn describeFunction(comptime name: []const u8, comptime F: type) []const u8 {
    const info = @typeInfo(F).@"fn";
    var out: []const u8 = "{\"name\":" ++ quoted(name) ++ ",\"parameters\":[";
    var first = true;
    for (info.param_types) |P| {
        if (isAllocator(P.?)) continue;
        out = out ++ (if (first) "" else ",") ++ if (state.isState(P.?)) describeState(P.?) else describeType(P.?);
        first = false;
    }
    return out ++ "],\"result\":" ++ describeType(info.return_type.?) ++ "}";
}

/// Whether a declaration of the cell is a function that Python can call.
pub fn isOffered(comptime cell: type, comptime name: []const u8) bool {
    return isFunction(cell, name) and functionObstacle(@TypeOf(@field(cell, name))) == null;
}

fn isFunction(comptime cell: type, comptime name: []const u8) bool {
    return @typeInfo(@TypeOf(@field(cell, name))) == .@"fn";
}

/// {"functions": [...], "skipped": [[name, reason], ...]}
pub fn describe(comptime cell: type) []const u8 {
    var functions: []const u8 = "";
    var skipped: []const u8 = "";
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (!isFunction(cell, name)) continue;
        const F = @TypeOf(@field(cell, name));
        if (functionObstacle(F)) |why| {
            skipped = skipped ++ (if (skipped.len > 0) "," else "") ++ "[" ++ quoted(name) ++ "," ++ quoted(why) ++ "]";
        } else {
            functions = functions ++ (if (functions.len > 0) "," else "") ++ describeFunction(name, F);
        }
    }
    return "{\"functions\":[" ++ functions ++ "],\"skipped\":[" ++ skipped ++ "]}";
}
