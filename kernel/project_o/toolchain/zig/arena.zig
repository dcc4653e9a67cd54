//! The allocator that a call gets: every block comes from the C library and is released after the call.
//! `std.heap.ArenaAllocator` does more and costs more of every build.

const std = @import("std");
const Allocator = std.mem.Allocator;
const Alignment = std.mem.Alignment;

extern "c" fn aligned_alloc(alignment: usize, size: usize) ?*anyopaque;
extern "c" fn free(pointer: ?*anyopaque) void;

pub const Arena = struct {
    /// Blocks are a ring through this head, so that one can be taken out without a search.
    head: Block,
    /// A cell may allocate from threads of its own.
    lock: std.atomic.Value(bool),

    const Block = struct { previous: *Block, following: *Block };
    const vtable: Allocator.VTable = .{ .alloc = alloc, .resize = resize, .remap = remap, .free = release };

    /// A new arena; null without memory.
    pub fn create() ?*Arena {
        const raw = aligned_alloc(@alignOf(Arena), @sizeOf(Arena)) orelse return null;
        // SAFETY: just allocated, with the size and alignment of an arena.
        const self: *Arena = @ptrCast(@alignCast(raw));
        self.* = .{ .head = .{ .previous = &self.head, .following = &self.head }, .lock = .init(false) };
        return self;
    }

    /// Release all blocks and the arena itself.
    pub fn destroy(self: *Arena) void {
        var block = self.head.following;
        while (block != &self.head) {
            const following = block.following;
            // SAFETY: `alloc` has put the links this far behind the start of the raw block.
            free(@ptrFromInt(@intFromPtr(block) - offsetOf(block)));
            block = following;
        }
        free(self);
    }

    pub fn allocator(self: *Arena) Allocator {
        return .{ .ptr = self, .vtable = &vtable };
    }

    /// Between the start of a raw block and its links lies the padding, whose size stands after the links.
    const Header = struct { links: Block, padding: usize };

    fn offsetOf(block: *Block) usize {
        const header: *Header = @fieldParentPtr("links", block);
        return header.padding;
    }

    fn arenaOf(context: *anyopaque) *Arena {
        // SAFETY: the context of our allocators is the arena that `allocator` was called on.
        return @ptrCast(@alignCast(context));
    }

    fn headerOf(data: [*]u8) *Header {
        // SAFETY: raw memory starts at a boundary of at least a header's alignment, and the data behind a whole number
        // of such boundaries, of which the last holds the header.
        return @ptrCast(@alignCast(data - @sizeOf(Header)));
    }

    fn alloc(context: *anyopaque, len: usize, alignment: Alignment, _: usize) ?[*]u8 {
        const self = arenaOf(context);
        const boundary = @max(alignment.toByteUnits(), @alignOf(Header));
        const front = std.mem.alignForward(usize, @sizeOf(Header), boundary);
        const wanted, const too_long = @addWithOverflow(front, len);
        if (too_long != 0 or wanted > std.math.maxInt(usize) - boundary) return null;
        const raw = aligned_alloc(boundary, std.mem.alignForward(usize, wanted, boundary)) orelse return null;
        // SAFETY: `raw` has room for `front` bytes and the data behind them.
        const data: [*]u8 = @as([*]u8, @ptrCast(raw)) + front;
        const header = headerOf(data);
        header.padding = front - @sizeOf(Header);
        self.enter();
        defer self.leave();
        header.links = .{ .previous = self.head.previous, .following = &self.head };
        self.head.previous.following = &header.links;
        self.head.previous = &header.links;
        return data;
    }

    fn resize(_: *anyopaque, memory: []u8, _: Alignment, new_len: usize, _: usize) bool {
        return new_len <= memory.len;
    }

    fn remap(_: *anyopaque, memory: []u8, _: Alignment, new_len: usize, _: usize) ?[*]u8 {
        return if (new_len <= memory.len) memory.ptr else null;
    }

    fn release(context: *anyopaque, memory: []u8, _: Alignment, _: usize) void {
        const self = arenaOf(context);
        const header = headerOf(memory.ptr);
        {
            self.enter();
            defer self.leave();
            header.links.previous.following = header.links.following;
            header.links.following.previous = header.links.previous;
        }
        // SAFETY: as in `destroy`.
        free(@ptrFromInt(@intFromPtr(header) - header.padding));
    }

    fn enter(self: *Arena) void {
        while (self.lock.swap(true, .acquire)) std.atomic.spinLoopHint();
    }

    fn leave(self: *Arena) void {
        self.lock.store(false, .release);
    }
};
