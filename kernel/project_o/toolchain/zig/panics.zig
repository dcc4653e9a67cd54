//! The panic namespace of a cell. It differs from `std.debug.FullPanic` in two ways.
//!
//! - It formats without `std.fmt`, which costs several hundred milliseconds of every build, and stack frames so
//!   large that they need compiler_rt.
//! - Each check that fails reports its own line. The optimiser merges equal calls at the end of a function into
//!   one, which then belongs to no line at all. It does not merge inline assembly, so that is how we call.

const std = @import("std");
const builtin = @import("builtin");

const Hook = fn ([]const u8, ?usize) noreturn;

/// The namespace for `pub const panic` of a root module; `hook` never returns.
pub fn Panics(comptime hook: Hook) type {
    return struct {
        pub fn call(message: []const u8, return_address: ?usize) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            if (return_address) |address| hook(message, address);
            leave(&Ends.explicit, @intFromPtr(message.ptr), message.len);
        }
        pub fn sentinelMismatch(expected: anytype, found: @TypeOf(expected)) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            _ = found;
            plain("sentinel mismatch");
        }
        pub fn unwrapError(e: anyerror) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Ends.unwrapError, @intFromError(e), 0);
        }
        pub fn outOfBounds(index: usize, len: usize) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Ends.outOfBounds, index, len);
        }
        pub fn startGreaterThanEnd(start: usize, end: usize) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Ends.startGreaterThanEnd, start, end);
        }
        pub fn inactiveUnionField(active: anytype, accessed: @TypeOf(active)) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Tags(@TypeOf(active)).end, @intFromEnum(active), @intFromEnum(accessed));
        }
        pub fn sliceCastLenRemainder(src_len: usize) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Ends.sliceCastLenRemainder, src_len, 0);
        }
        pub fn unexpectedErrorCode(e: anyerror) noreturn {
            @branchHint(.cold);
            @setRuntimeSafety(false);
            leave(&Ends.unexpectedErrorCode, @intFromError(e), 0);
        }
        pub fn reachedUnreachable() noreturn {
            @branchHint(.cold);
            plain("reached unreachable code");
        }
        pub fn unwrapNull() noreturn {
            @branchHint(.cold);
            plain("attempt to use null value");
        }
        pub fn castToNull() noreturn {
            @branchHint(.cold);
            plain("cast causes pointer to be null");
        }
        pub fn incorrectAlignment() noreturn {
            @branchHint(.cold);
            plain("incorrect alignment");
        }
        pub fn invalidErrorCode() noreturn {
            @branchHint(.cold);
            plain("invalid error code");
        }
        pub fn integerOutOfBounds() noreturn {
            @branchHint(.cold);
            plain("integer does not fit in destination type");
        }
        pub fn integerOverflow() noreturn {
            @branchHint(.cold);
            plain("integer overflow");
        }
        pub fn shlOverflow() noreturn {
            @branchHint(.cold);
            plain("left shift overflowed bits");
        }
        pub fn shrOverflow() noreturn {
            @branchHint(.cold);
            plain("right shift overflowed bits");
        }
        pub fn divideByZero() noreturn {
            @branchHint(.cold);
            plain("division by zero");
        }
        pub fn exactDivisionRemainder() noreturn {
            @branchHint(.cold);
            plain("exact division produced remainder");
        }
        pub fn integerPartOutOfBounds() noreturn {
            @branchHint(.cold);
            plain("integer part of floating point value out of bounds");
        }
        pub fn corruptSwitch() noreturn {
            @branchHint(.cold);
            plain("switch on corrupt value");
        }
        pub fn shiftRhsTooBig() noreturn {
            @branchHint(.cold);
            plain("shift amount is greater than the type size");
        }
        pub fn invalidEnumValue() noreturn {
            @branchHint(.cold);
            plain("invalid enum value");
        }
        pub fn forLenMismatch() noreturn {
            @branchHint(.cold);
            plain("for loop over objects with non-equal lengths");
        }
        pub fn copyLenMismatch() noreturn {
            @branchHint(.cold);
            plain("source and destination arguments have non-equal lengths");
        }
        pub fn memcpyAlias() noreturn {
            @branchHint(.cold);
            plain("@memcpy arguments alias");
        }
        pub fn noreturnReturned() noreturn {
            @branchHint(.cold);
            plain("'noreturn' function returned");
        }
        pub fn loadUninstantiableType() noreturn {
            @branchHint(.cold);
            plain("attempt to load uninstantiable type");
        }

        inline fn plain(comptime message: []const u8) noreturn {
            leave(&Says(message).end, 0, 0);
        }

        fn Says(comptime message: []const u8) type {
            return struct {
                fn end(_: usize, _: usize) callconv(.c) noreturn {
                    hook(message, @returnAddress());
                }
            };
        }

        fn Tags(comptime T: type) type {
            return struct {
                fn end(active: usize, accessed: usize) callconv(.c) noreturn {
                    @setRuntimeSafety(false);
                    var line: Line = .{};
                    hook(line.text("access of union field '").text(name(accessed)).text("' while field '")
                        .text(name(active)).text("' is active").written(), @returnAddress());
                }

                fn name(value: usize) []const u8 {
                    inline for (@typeInfo(T).@"enum".field_names, @typeInfo(T).@"enum".field_values) |text, number| {
                        if (value == @as(usize, @intCast(number))) return text;
                    }
                    return "?";
                }
            };
        }

        const Ends = struct {
            fn explicit(pointer: usize, len: usize) callconv(.c) noreturn {
                @setRuntimeSafety(false);
                // SAFETY: `call` has taken both from a slice.
                hook(@as([*]const u8, @ptrFromInt(pointer))[0..len], @returnAddress());
            }
            fn unwrapError(code: usize, _: usize) callconv(.c) noreturn {
                var line: Line = .{};
                hook(line.text("attempt to unwrap error: ").text(errorName(code)).written(), @returnAddress());
            }
            fn unexpectedErrorCode(code: usize, _: usize) callconv(.c) noreturn {
                var line: Line = .{};
                hook(line.text("unexpected error code, found error.").text(errorName(code)).written(), @returnAddress());
            }
            fn outOfBounds(index: usize, len: usize) callconv(.c) noreturn {
                var line: Line = .{};
                hook(line.text("index out of bounds: index ").number(index).text(", len ").number(len).written(), @returnAddress());
            }
            fn startGreaterThanEnd(start: usize, end: usize) callconv(.c) noreturn {
                var line: Line = .{};
                hook(line.text("start index ").number(start).text(" is larger than end index ").number(end).written(), @returnAddress());
            }
            fn sliceCastLenRemainder(src_len: usize, _: usize) callconv(.c) noreturn {
                var line: Line = .{};
                hook(line.text("slice length '").number(src_len)
                    .text("' does not divide exactly into destination elements").written(), @returnAddress());
            }
        };
    };
}

fn errorName(code: usize) []const u8 {
    @setRuntimeSafety(false);
    return @errorName(@errorFromInt(@as(@Int(.unsigned, @bitSizeOf(anyerror)), @intCast(code))));
}

const End = *const fn (usize, usize) callconv(.c) noreturn;

/// Call `end` and never return. The stack pointer may stand anywhere, because the optimiser does not know that
/// the assembly calls; what lies below it is lost, and nobody comes back for it.
inline fn leave(end: End, first: usize, second: usize) noreturn {
    @setRuntimeSafety(false);
    if (builtin.zig_backend != .stage2_llvm) end(first, second);
    switch (builtin.cpu.arch) {
        .x86_64 => asm volatile (
            \\and $-16, %%rsp
            \\call *%[end]
            :
            : [end] "r" (end),
              [first] "{rdi}" (first),
              [second] "{rsi}" (second),
            : .{ .memory = true }),
        .aarch64 => asm volatile (
            \\blr %[end]
            :
            : [end] "r" (end),
              [first] "{x0}" (first),
              [second] "{x1}" (second),
            : .{ .memory = true }),
        else => end(first, second),
    }
    unreachable;
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

    fn written(self: *const Line) []const u8 {
        @setRuntimeSafety(false);
        return self.buffer[0..self.len];
    }
};
