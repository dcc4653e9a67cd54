//! Words of a text: sorted, counted, hashed, and numbers among them read and written.

const std = @import("std");
const offset: f32 = NUMBER;

/// The sum of the products, and the constant that every edit changes.
pub fn dot(a: []const f32, b: []const f32) f32 {
    var sum: f32 = offset;
    for (a, b) |x, y| sum += x * y;
    return sum;
}

/// The values in order.
pub fn ordered(values: []f64) void {
    std.sort.pdq(f64, values, {}, std.sort.asc(f64));
}

/// The value in the middle; the values are put in order for that.
pub fn median(values: []f64) f64 {
    ordered(values);
    if (values.len == 0) return std.math.nan(f64);
    const middle = values.len / 2;
    return if (values.len % 2 == 1) values[middle] else (values[middle - 1] + values[middle]) / 2;
}

/// How many different words there are.
pub fn different(allocator: std.mem.Allocator, text: []const u8) !u64 {
    var seen: std.StringHashMapUnmanaged(void) = .empty;
    defer seen.deinit(allocator);
    var words = std.mem.tokenizeAny(u8, text, " \t\n");
    while (words.next()) |word| try seen.put(allocator, word, {});
    return seen.count();
}

/// The sum of the words that are whole numbers.
pub fn total(text: []const u8) i64 {
    var sum: i64 = 0;
    var words = std.mem.tokenizeAny(u8, text, " \t\n");
    while (words.next()) |word| sum += std.fmt.parseInt(i64, word, 10) catch continue;
    return sum;
}

/// The values with two digits each, separated by spaces.
pub fn written(allocator: std.mem.Allocator, values: []const f64) ![]const u8 {
    var text: std.ArrayList(u8) = .empty;
    for (values, 0..) |value, at| {
        if (at > 0) try text.append(allocator, ' ');
        var buffer: [64]u8 = undefined;
        try text.appendSlice(allocator, try std.fmt.bufPrint(&buffer, "{d:.2}", .{value}));
    }
    return text.toOwnedSlice(allocator);
}

/// A number of 64 bits that stands for the text.
pub fn fingerprint(text: []const u8) u64 {
    return std.hash.Wyhash.hash(0, text);
}
