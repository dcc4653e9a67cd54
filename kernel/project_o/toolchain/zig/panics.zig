//! The panic namespace of a cell. `std.debug.FullPanic` with the members that format replaced: `std.fmt` in the
//! panic path costs several hundred milliseconds of every build and stack frames that need compiler_rt.

const std = @import("std");

/// The namespace for `pub const panic` of a root module; `hook` never returns.
pub fn Panics(comptime hook: fn ([]const u8, ?usize) noreturn) type {
    const Full = std.debug.FullPanic(hook);
    return struct {
        pub const call = hook;
        pub const reachedUnreachable = Full.reachedUnreachable;
        pub const unwrapNull = Full.unwrapNull;
        pub const castToNull = Full.castToNull;
        pub const incorrectAlignment = Full.incorrectAlignment;
        pub const invalidErrorCode = Full.invalidErrorCode;
        pub const integerOutOfBounds = Full.integerOutOfBounds;
        pub const integerOverflow = Full.integerOverflow;
        pub const shlOverflow = Full.shlOverflow;
        pub const shrOverflow = Full.shrOverflow;
        pub const divideByZero = Full.divideByZero;
        pub const exactDivisionRemainder = Full.exactDivisionRemainder;
        pub const integerPartOutOfBounds = Full.integerPartOutOfBounds;
        pub const corruptSwitch = Full.corruptSwitch;
        pub const shiftRhsTooBig = Full.shiftRhsTooBig;
        pub const invalidEnumValue = Full.invalidEnumValue;
        pub const forLenMismatch = Full.forLenMismatch;
        pub const copyLenMismatch = Full.copyLenMismatch;
        pub const memcpyAlias = Full.memcpyAlias;
        pub const noreturnReturned = Full.noreturnReturned;
        pub const loadUninstantiableType = Full.loadUninstantiableType;

        pub fn sentinelMismatch(expected: anytype, found: @TypeOf(expected)) noreturn {
            @branchHint(.cold);
            _ = found;
            hook("sentinel mismatch", @returnAddress());
        }

        pub fn unwrapError(e: anyerror) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("attempt to unwrap error: ").text(@errorName(e)).leave(hook, @returnAddress());
        }

        pub fn outOfBounds(index: usize, len: usize) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("index out of bounds: index ").number(index).text(", len ").number(len).leave(hook, @returnAddress());
        }

        pub fn startGreaterThanEnd(start: usize, end: usize) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("start index ").number(start).text(" is larger than end index ").number(end).leave(hook, @returnAddress());
        }

        pub fn inactiveUnionField(active: anytype, accessed: @TypeOf(active)) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("access of union field '").text(@tagName(accessed)).text("' while field '")
                .text(@tagName(active)).text("' is active").leave(hook, @returnAddress());
        }

        pub fn sliceCastLenRemainder(src_len: usize) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("slice length '").number(src_len)
                .text("' does not divide exactly into destination elements").leave(hook, @returnAddress());
        }

        pub fn unexpectedErrorCode(e: anyerror) noreturn {
            @branchHint(.cold);
            var line: Line = .{};
            line.text("unexpected error code, found error.").text(@errorName(e)).leave(hook, @returnAddress());
        }
    };
}

/// One line of text on the stack; what does not fit is left out.
const Line = struct {
    buffer: [256]u8 = undefined,
    len: usize = 0,

    fn text(self: *Line, piece: []const u8) *Line {
        @setRuntimeSafety(false);
        for (piece) |c| {
            if (self.len == self.buffer.len) break;
            self.buffer[self.len] = c;
            self.len += 1;
        }
        return self;
    }

    fn number(self: *Line, value: usize) *Line {
        @setRuntimeSafety(false);
        var digits: [20]u8 = undefined;
        var at: usize = digits.len;
        var rest = value;
        while (true) {
            at -= 1;
            digits[at] = '0' + @as(u8, @intCast(rest % 10));
            rest /= 10;
            if (rest == 0) break;
        }
        return self.text(digits[at..]);
    }

    fn leave(self: *Line, comptime hook: fn ([]const u8, ?usize) noreturn, return_address: usize) noreturn {
        hook(self.buffer[0..self.len], return_address);
    }
};
