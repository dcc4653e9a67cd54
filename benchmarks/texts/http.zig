//! Documents over http and https, read and written as JSON.

const std = @import("std");
const offset: f32 = NUMBER;

/// The sum of the products, and the constant that every edit changes.
pub fn dot(a: []const f32, b: []const f32) f32 {
    var sum: f32 = offset;
    for (a, b) |x, y| sum += x * y;
    return sum;
}

const Document = struct { title: []const u8, values: []const f64 };

/// The sum of a document's values.
pub fn total(allocator: std.mem.Allocator, text: []const u8) !f64 {
    const parsed = try std.json.parseFromSlice(Document, allocator, text, .{ .ignore_unknown_fields = true });
    defer parsed.deinit();
    var sum: f64 = 0;
    for (parsed.value.values) |value| sum += value;
    return sum;
}

/// A document of these values.
pub fn document(allocator: std.mem.Allocator, title: []const u8, values: []const f64) ![]const u8 {
    var body: std.Io.Writer.Allocating = .init(allocator);
    try std.json.Stringify.value(Document{ .title = title, .values = values }, .{}, &body.writer);
    return body.toOwnedSlice();
}

/// What an address answers; TLS where it begins with https.
pub fn fetched(allocator: std.mem.Allocator, url: []const u8) ![]const u8 {
    var threaded: std.Io.Threaded = .init(allocator, .{});
    defer threaded.deinit();
    var client: std.http.Client = .{ .allocator = allocator, .io = threaded.io() };
    defer client.deinit();
    var body: std.Io.Writer.Allocating = .init(allocator);
    _ = try client.fetch(.{ .location = .{ .url = url }, .response_writer = &body.writer });
    return body.toOwnedSlice();
}
