"""Every bound of the project, with its unit in its name. Relations between bounds are asserted below."""

from __future__ import annotations

MIB = 1 << 20

# Sandbox ------------------------------------------------------------------------------------------
TRIAL_WALL_SECONDS = 10.0
TRIAL_CPU_SECONDS = 10
TRIAL_MEMORY_BYTES = 1024 * MIB
ANSWER_BYTES_MAX = 1 * MIB
LOG_BYTES_MAX = 1 * MIB
ERROR_TEXT_CHARACTERS_MAX = 500
ZYGOTE_START_SECONDS = 20.0
ARENA_BYTES_MAX = 2048 * MIB
OPEN_FILES_MAX = 64

# First call of a new build -------------------------------------------------------------------------
FIRST_CALL_WALL_SECONDS = 2.0
FIRST_CALL_ARGUMENT_BYTES_MAX = 256 * MIB

# Toolchain ----------------------------------------------------------------------------------------
BUILD_WALL_SECONDS = 120.0
BUILD_MEMORY_BYTES = 8192 * MIB
BUILD_OUTPUT_BYTES_MAX = 1 * MIB
SOURCE_BYTES_MAX = 1 * MIB
CACHE_BYTES_MAX = 512 * MIB
DIAGNOSTICS_SHOWN_MAX = 20

# Guard --------------------------------------------------------------------------------------------
INTERRUPT_RETRY_MICROSECONDS = 200
PANIC_MESSAGE_BYTES_MAX = 512

# Evolution ----------------------------------------------------------------------------------------
TRIALS_DEFAULT = 60
TRIALS_MAX = 100_000
PROPOSAL_LAG_TRIALS = 4
DOMAIN_VALUES_MAX = 1024
WORKERS_MAX = 64
RATIO_ACCEPTED_LOW = 1.02
CONFIDENCE = 0.95
VALID_INPUTS_SHARE_MIN = 0.25

# History ------------------------------------------------------------------------------------------
OUTPUT_INLINE_BYTES_MAX = 64 * 1024
OUTPUT_BYTES_MAX = 16 * MIB
JOURNAL_RECORD_BYTES_MAX = 64 * MIB
JOURNAL_SEGMENT_BYTES_MAX = 8 * MIB
JOURNAL_SYNC_MILLISECONDS = 200
REPACK_STATES = 200
SUMMARY_CHARACTERS_MAX = 72
DISPLAY_IDS_MAX = 512
RECORDER_START_SECONDS = 10.0
BARRIER_SECONDS = 10.0

# View ---------------------------------------------------------------------------------------------
PROGRESS_INTERVAL_SECONDS = 0.5
TABLE_ROWS_MAX = 200
RUN_ROWS_MAX = 12
CELL_CHARACTERS_MAX = 160
TEXT_CHARACTERS_MAX = 2_000
SOURCE_LINES_MAX = 1_000
DIFF_LINES_MAX = 600
CHART_POINTS_MAX = 400
LINEAGE_NODES_MAX = 120

assert FIRST_CALL_WALL_SECONDS < TRIAL_WALL_SECONDS
assert FIRST_CALL_ARGUMENT_BYTES_MAX < TRIAL_MEMORY_BYTES < ARENA_BYTES_MAX
assert OUTPUT_INLINE_BYTES_MAX < OUTPUT_BYTES_MAX < JOURNAL_RECORD_BYTES_MAX
assert RATIO_ACCEPTED_LOW > 1.0
assert 0.5 < CONFIDENCE < 1.0
