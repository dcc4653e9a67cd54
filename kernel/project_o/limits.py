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
SNAPSHOT_BYTES_MAX = 2048 * MIB
assert ARENA_BYTES_MAX + SNAPSHOT_BYTES_MAX <= 1 << 32  # both lie in one block of addresses: sandbox/locks
SNAPSHOTS_KEPT = 8
PRELOADED_BOXES_KEPT = 3
GLOBAL_ITEMS_MAX = 200_000
OPEN_FILES_MAX = 64
UNMEASURED_FILES_MAX = 16  # removed files of a job with processes that are mapped, or on their way, and open nowhere
PENDING_SIGNALS_MAX = 4096  # with timers: a user's processes share what there is
WRITTEN_FILE_BYTES_MAX = 256 * MIB
IDLE_CPU_SECONDS_MAX = 0.1
WATCH_SECONDS = 0.02
SPARE_ENDED_SECONDS = 0.002  # how long after a job has ended the child is forked that waits to be the next one
SPARE_STARTED_SECONDS = 0.06
"""How long after a job was started, where it is still there: it goes first, and what is compiled for it."""
SPARE_SECONDS = 0.5  # how long a child that nobody asked for yet waits to become a job
EARLY_SECONDS = 2.0  # how long a locked process waits for the library that it is to try
EARLY_AGAIN_SECONDS = 0.06  # how long after a quick build the process is made in which the optimised one will be asked
DISMISSED_SECONDS = 0.05  # how much later somebody sees to it that a killed job is gone
TREE_LOOK_SECONDS = 0.05
JOB_CPU_QUESTIONS_MAX = 100
SERVING_LEVELS = ("L2", "L3")  # those at which a new text may have been judged to serve in the kernel

# First call of a new build -------------------------------------------------------------------------
FIRST_CALL_WALL_SECONDS = 2.0
FIRST_CALL_ARGUMENT_BYTES_MAX = 256 * MIB
ISOLATE_WALL_SECONDS = 3600.0
ISOLATE_LOOKS_ASKING_MAX = 600
"""How often a call to an isolated process looks for its answer before it sleeps: some 25 microseconds."""
ANSWER_LOOKS_MAX = 100
"""How often the answer of a job is looked for before the kernel's side sleeps: some 100 microseconds."""
ISOLATE_LOOKS_ANSWERING_MAX = 1200
"""How often that process looks for the next call before it sleeps: some 50 microseconds."""
ISOLATE_LOOKS_LEFT_OUT_MAX = 31
"""For how many calls in a row neither looks, after it did so in vain again and again."""
ISOLATE_SLEEP_SECONDS_MIN, ISOLATE_SLEEP_SECONDS_MAX = 0.001, 0.05
"""How long either may sleep without looking: the first time, and the longest."""

# Toolchain ----------------------------------------------------------------------------------------
OPTIMISED_WAITS_SECONDS_MAX = 0.06
"""How long the optimised build lets the quick one have the processors to itself."""
CALLED_WAITS_SECONDS_MAX = 0.02
"""How long after the quick build it waits for the answer of a first call: a notebook sends that some 10 ms later."""
OPTIMISED_PAUSE_SECONDS = 0.005
"""How long after that answer it is begun: a notebook shows it by then."""
HALF_PAUSE_SECONDS = 0.025
"""How long after the quick build the second object is begun: a first call is on its way then, and its trial."""
HALF_WEIGHT_MIN = 10
"""How much each of two objects has to do at least, in hundredths of a second of LLVM's work, to be worth a compiler."""
BUILD_WALL_SECONDS = 120.0
LINES_WALL_SECONDS = 5.0
"""How long an error waits for the line that it stands at, where debug information has to be made for that."""
LINES_RETRY_SECONDS = 30.0
"""How long after that failed it is not tried again."""
PICKLED_FUNCTIONS_KEPT = 64
"""The programs that a process keeps open whose functions were sent to it."""
LINES_KEPT_MAX = 64
"""The builds of which it is kept where their debug information is."""
BUILD_CPU_SECONDS = 240
TESTS_WALL_SECONDS = BUILD_WALL_SECONDS  # for the tests of a cell; what Zig needs to compile them is part of it
BUILD_MEMORY_BYTES = 8192 * MIB
BUILD_OUTPUT_BYTES_MAX = 1 * MIB
LOCKED_BUILD_WALL_SECONDS = 60.0
LOCKED_BUILD_CPU_SECONDS = 60
LOCKED_BUILD_MEMORY_BYTES = 2048 * MIB
LOCKED_LIBRARY_BYTES_MAX = 64 * MIB
BUILD_FLOOD_BYTES_MAX = 16 * MIB
BUILD_FILE_BYTES_MAX = 256 * MIB
BUILD_FILES_MAX = 256
BUILD_FILES_BYTES_MAX = 256 * MIB
BUILD_SCRATCH_BYTES = 512 * MIB
BUILD_MEMORY_FREE_BYTES_MIN = 4 * BUILD_SCRATCH_BYTES  # builds work in memory where this much is free
BUILD_STACK_BYTES = 64 * MIB
BUILD_OPEN_FILES_MAX = 512
BUILD_END_SECONDS = 5.0
TREE_THREADS_MAX = 256
EVALUATOR_THREADS_MAX = 128
ARTIFACT_CHARACTERS_MAX = 20_000  # of one text that an evaluator returns beside its scores
EVALUATOR_SCRATCH_BYTES = 256 * MIB
EVALUATOR_STACKS_BYTES = 256 * MIB  # of its threads, 8 MiB each; the kernel counts them as data
EVALUATOR_ADDRESS_BYTES = 16_384 * MIB  # what is reserved and never touched: the tree is bounded by what it holds
SHIM_ATTEMPTS_MAX = 4
SERVERS_MAX = 3  # one for each mode, or for each set of imports
SERVER_START_SECONDS = 120.0  # its first answer, with nothing in any cache
SERVER_UPDATE_SECONDS = 15.0
SERVER_GRACE_SECONDS = 1.0
SERVER_IDLE_SECONDS = 900.0
SERVER_RESTART_SECONDS_MAX = 60.0
SERVER_MEMORY_BYTES = 4096 * MIB
SERVER_RESIDENT_BYTES_MAX = 1024 * MIB
SERVER_FILE_BYTES_MAX = 1024 * MIB
SERVER_MESSAGE_BYTES_MAX = 16 * MIB
SERVER_UPDATES_MAX = 500
QUICK_COMPARED_BYTES_MAX = 16 * MIB
INTERFACES_KEPT_MAX = 64
VARIANTS_MIN = 8
VARIANTS_MAX = 64  # built ahead of their trials
VARIANTS_TOGETHER_MIN = 16  # in each of several compilations side by side
RUST_PLACES_MAX = 4
RUST_MEMORIES_MAX = 8
SOURCE_BYTES_MAX = 1 * MIB  # of one program, all its files together
PROGRAM_FILES_MAX = 32
PROGRAM_NAME_CHARACTERS_MAX = 120
CACHE_BYTES_MAX = 512 * MIB
CACHE_KEPT_SECONDS_MIN = 3600.0
DIAGNOSTICS_SHOWN_MAX = 20
CRATES_WALL_SECONDS = 900.0
ASSEMBLY_LINES_MAX = 4000
MODULE_FILES_MAX = 1000
MODULE_TURN_SECONDS = 10.0

# Calls --------------------------------------------------------------------------------------------
LOCK_KEPT_BYTES_MAX = 64 * 1024  # with more to look at a call is long enough for others to run meanwhile
LOCK_KEPT_MICROSECONDS_MAX = 5.0
PRINTED_WAITS_SECONDS_MAX = 0.05
"""How long a cell's end waits until what native code printed in it was read."""
PRINTED_LOOK_SECONDS = 0.0005

# Guard --------------------------------------------------------------------------------------------
INTERRUPT_RETRY_MICROSECONDS = 200
HANDLERS_LOOK_MILLISECONDS = 10
PANIC_MESSAGE_BYTES_MAX = 512
NAMES_KEPT_MAX = 512  # of loaded libraries, for the guard's last words
NAME_BYTES_MAX = 63
LAST_WORDS_MILLISECONDS = 300

# Evolution ----------------------------------------------------------------------------------------
TRIALS_DEFAULT = 60
EXECUTOR_FIRST_SECONDS = 60.0
EXECUTOR_DEATHS_MAX = 4
REPAIR_BATCH_TEXTS = 48
REPAIR_BATCH_SECONDS = 5.0
REPAIR_CALL_SECONDS = 2.0
REPAIR_LINES_MIN, REPAIR_LINES_MAX = 20_000, 100_000  # of one call, before it is given up
REPAIR_TEXTS_MAX = 60_000
REPAIR_TEXTS_MORE, REPAIR_TEXTS_FACTOR = 400, 1.5  # tried after the first that passes
REPAIR_HUNT_SHARE = 0.7  # of the budget; the rest is for the judge
REPAIR_PROPOSALS_MAX = 24
REPAIR_COMPARED_MAX, REPAIR_NEIGHBOURS = 200, 40
REPAIR_SUSPICION_WEIGHT = 1.5
REPAIR_EXAMPLES_TOLD = 3
REPAIR_REFERENCE_CASES = 40
TRIALS_MAX = 100_000
PROPOSAL_LAG_TRIALS = 4
TRIAL_ATTEMPTS = 3  # of a candidate, if its processes are killed by somebody else
DOMAIN_VALUES_MAX = 1024
INPUT_BYTES_MAX = 64 * MIB
VALIDATION_CASES = 40
MACROS_MAX = 12  # that are learned at once
MACRO_HOLES_MAX = 4
MACRO_SIZE_MIN = 5  # nodes of a template, its holes not counted
MACRO_PAIRS_MAX = 1500  # of forms that begin alike, of which templates are made
MACRO_FORMS_MIN = 8  # fewer show nothing of others that are to come
MACRO_PROOF_SECONDS = 20.0
DECLINED_SHARE_MAX = 0.5  # of the inputs, edges and all, a translation may leave so many to what it was made from
FUZZ_INPUTS = 10_000  # which a translation must answer as the function that it was made from does
FUZZ_BATCH = 16  # of them are asked in one question
FUZZ_SECONDS = 6.0  # about what they take, which is kept of a run's budget
FUZZ_SIZE_MAX = 48  # of each free size: what depends on larger ones is looked for by the ladder of sizes
VALIDATION_CALL_SECONDS = 2.0
VALIDATION_TOTAL_SECONDS = 10.0
CANDIDATE_SLOWER_FACTOR_MAX = 10.0
CANDIDATE_CALL_SECONDS_MIN = 0.5
TIMING_SECONDS_MIN = 0.004
TIMING_REPEAT_MAX = 1_000_000
SCREENING_PAIRS = 10
SCREENING_LOOK_PAIRS = 4
SCREENING_PAIRS_A_PROCESS = 5
PROCESS_START_SECONDS = 0.012
FINAL_PAIRS_A_PROCESS = 2
BUDGET_SHARE_FOR_VERDICT = 0.4
BUDGET_SHARE_FOR_VERDICT_MAX = 0.6
VERDICT_SECONDS_MIN = 1.0
FINALIST_RATIO_SHARE_MIN = 0.9
FINAL_PAIRS = 80
LEADER_RATIO_SUSPICIOUS = 1.3  # in screening, over the last leader: beyond it a gain is looked at at once
FINAL_PAIRS_USUAL = 20  # what a verdict's time is planned with: most end before the most that is allowed
FINAL_PAIRS_MIN = 16
FINALISTS = 3
FINALISTS_TRIED_MAX = 9  # those whose gain turns out to be none make room for the next
EVALUATOR_PAIRS = 12
EVALUATOR_PAIRS_MAX = 40
EVALUATOR_MEMORY_PAIRS = 6
EVALUATOR_EXACT_SECONDS = 1.5  # for the pairs of one comparison by a deterministic evaluator, beyond the first two
FOREIGN_SECONDS = 300.0  # for one call of an evaluator of others, where nobody says
FOREIGN_MEMORY_BYTES = 2048 * MIB
FOREIGN_RETRIES_MAX = 10
FOREIGN_PAIRS = 4  # evaluations of a leader and of the baseline at the end: fewer bound nothing
FOREIGN_FILES_MAX = 256  # that lie beside an evaluator, and are given to each of its processes
FOREIGN_FILES_BYTES_MAX = 16 * MIB
FOREIGN_DEPTH_MAX = 4
STOP_POLL_SECONDS = 0.05
STOP_SECONDS_MAX = 0.6
SWEEP_VALUES_MAX = 8
SAMPLER_RECORDS_MAX = 300
REWRITE_ELITES = 6
TUNING_ELITES = 4
TUNING_STEPS_SHARE = 0.5
TUNED_VALUE_MAX = 1e15
EDITS_DOUBT = 3  # trials without a gain that edits of a scored program begin with: most of them change its meaning
REWRITE_PARENT_RATIO_MIN = 0.7  # who is slower than this is edited no further
OTHER_ELITE_SHARE = 0.3  # of the trials: how often another elite than the best is edited
ISLANDS_MAX = 64
ISLAND_ELITES_MAX = 24  # without a grid: how many of an island are remembered as parents
MIGRATION_TRIALS = 10  # of each island, before its best goes to the next one
GRID_AXES_MAX = 4
GRID_BINS = 8  # of a descriptor for which nobody says how many
GRID_BINS_MAX = 100
GRID_LOOKS_EACH_MAX = 16  # values: so many move the bounds one by one, later ones as their number doubles
GRID_SHARE_OUTSIDE = 0.05  # of the values, on either side, that stand in the outermost cells
GRID_LOG_RATIO_MIN = 100.0  # between the largest and the smallest value: beyond it cells grow by equal factors
CROSSOVER_TRIES_MAX = 12
PROPOSAL_ATTEMPTS = 3  # of a language model, for one proposal
PROPOSAL_FAILURES_MAX = 3  # proposals in a row that came to nothing, before a model is asked no more
PROPOSAL_SECONDS_MAX = 300.0
MODEL_REST_PROPOSALS = 8  # of a run, in which another model is asked after one could not be
WEAK_MODEL_PROPOSALS = 4  # the last ones of a model, by which its answers are judged
SMALL_EDIT_LINES = 5  # that a weak model is asked to change at once
HYPOTHESIS_CHARACTERS_MAX = 300
PROMPT_PROGRAM_CHARACTERS_MAX = 60_000
PROMPT_PART_CHARACTERS_MAX = 6_000
PROMPT_EVIDENCE_CHARACTERS_MAX = 1_500
PROMPT_REJECTIONS_MAX = 5
PROMPT_INSPIRATIONS_MAX = 3
PROMPT_ELITES_MAX = 12
PROMPT_METRICS_MAX = 8
PROMPT_FUNCTIONS_MAX = 20
PARENT_BEST_SHARE = 0.6  # of the proposals of a model; the others start from another good program
WORKERS_MAX = 64
RATIO_ACCEPTED_LOW = 1.02
FAMILY_ERROR_MAX = 0.025  # one-sided: a run accepts something that is no better in at most this share of runs
GUARD_REGRESSION_MAX = 0.2
OBJECTIVE_REGRESSION_MAX = 0.05
ACCURACY_CASES = 12
SCRUTINY_PAIRS = 8
SCRUTINY_SECONDS = 0.4  # what it takes beside its pairs, before it was seen how long it takes
SCRUTINY_PROBES = 24
SCRUTINY_INPUT_BYTES = 8 * MIB
SCRUTINY_CALL_SECONDS_MAX = 0.012
SCRUTINY_GROWTH_MAX = 64.0
GAIN_SHARE_CREDIBLE = 0.5  # of a gain in CPU time that must be there by the wall clock, and on unseen inputs
GAIN_SHARE_APART = 0.1  # of a gain that must be there where an input is one of few in its question
GAIN_APART_SECONDS_MIN = 12e-6  # of a call: the gain from which on that is looked at
DEFECT_CONFIDENCE = 0.9995  # of the bounds by which a gain is called none: an honest candidate must not meet them
LOAD_SECONDS_FREE = 0.0005  # more than the incumbent takes to be loaded, before it has to be won back
LOAD_SECONDS_A_BYTE = 1e-6  # and for each byte by which its text is longer: it is compiled as it is loaded
LOAD_CALLS_MAX = 4  # by which what is done as it is loaded has to be won back
LOAD_DOMAIN_MAX = 65_536  # inputs that the types allow in all: a table of all answers is no trick then
UNSEEN_SECONDS_MIN = 0.003  # of one question with many calls
UNSEEN_CALL_SECONDS = 2e-6  # what one of many calls in a question costs beside the call
UNSEEN_CALLS_MAX = 1024
UNSEEN_BYTES_MAX = 4 * MIB
MEMORY_BANDWIDTH_MARGIN = 4.0
CACHE_BYTES_PER_SECOND_MAX = 1e12  # no core reads its nearest cache faster: 128 bytes a cycle at 7.8 GHz
CONFIDENCE = 0.95
VALID_INPUTS_SHARE_MIN = 0.25

# Generated tests, user tests, scenarios ------------------------------------------------------------
EDGE_CASES_MAX = 40
EDGE_CALL_SECONDS = 0.25
EDGE_TOTAL_SECONDS = 3.0
EDGE_GROWTH = 8  # of one size of a sample: what is right in small must be right in large
EDGE_SCALES = (-1, 64, 4096)  # factors on the values that the samples show; powers of two keep floats exact
EDGE_SCALE_SMALL = 2.0**-40  # and one on floats, below what might be taken for nothing
REACH_SECONDS = (
    3.0  # of the incumbent, for the numbers of a candidate's text, and again for the ladder of who is to win
)
REACH_BUDGET_SHARE = 0.15  # of what is left of a run's budget: the measurement that follows needs the rest
REACH_ANSWER_SECONDS = 1.0  # an input that takes the incumbent longer shows nothing
REACH_CALL_SECONDS = 0.25  # the rung of a ladder on which it takes longer is the last
REACH_QUICK_SECONDS = 0.02  # up to here each power of two is tried on both of its sides
REACH_NUMBERS_MAX = 32  # of a text
AGAIN_SECONDS_MAX = 0.5  # for several calls whose results are looked at together, and for one that is made very often
AGAIN_RESULTS_MAX = 12
AGAIN_REPEATS_PROBE = 16
AGAIN_REPEATS_MAX = 100_000
RELATION_CASES = 24
SHRINK_QUESTIONS_MAX = 600
SHRINK_SECONDS_MAX = 2.0
SHRINK_ELEMENTS_MAX = 64
COUNTEREXAMPLE_CHARACTERS_MAX = 400
COUNTEREXAMPLE_BYTES_MAX = 8 * 1024
RUN_JOURNALS_KEPT_MAX = 32  # runs of one store that could be resumed
COUNTEREXAMPLES_KEPT_MAX = 32
OBSERVED_BYTES_MAX = 16 * MIB
COVERAGE_SECONDS_MAX = 5.0
LINES_TOLD_MAX = 40
SCENARIO_SECONDS_MAX = 60.0
SCENARIO_SLOWER_FACTOR_MAX = 10.0
SCENARIO_SECONDS_MIN = 5.0
SCENARIO_OUTPUT_BYTES_MAX = 256 * 1024
PROPOSED_SOURCE_BYTES_MAX = 64 * 1024  # beyond the incumbent's; Python 3.11 falls at 350 KiB of nested loops
REASON_CHARACTERS_MAX = 500  # of one finding: the line for a person
EVIDENCE_CHARACTERS_MAX = 4_000  # of one finding: what goes back to whoever proposed it

# History ------------------------------------------------------------------------------------------
OUTPUT_INLINE_BYTES_MAX = 64 * 1024
OUTPUT_EVICTABLE_BYTES = 256 * 1024
OUTPUT_BYTES_MAX = 16 * MIB
HISTORY_QUOTA_BYTES = 1024 * MIB  # of large outputs: all else is text, and stays
JOURNAL_RECORD_BYTES_MAX = 64 * MIB
JOURNAL_SEGMENT_BYTES_MAX = 8 * MIB
JOURNAL_SYNC_MILLISECONDS = 200
REPACK_STATES = 200
SUMMARY_CHARACTERS_MAX = 72
DISPLAY_IDS_MAX = 512
RECORDER_START_SECONDS = 10.0
BARRIER_SECONDS = 10.0
DOCUMENT_CELLS_MAX = 10_000
DOCUMENT_CELL_CHARACTERS_MAX = 1 * MIB
DOCUMENT_CHARACTERS_MAX = 8 * MIB
DOCUMENT_PART_CHARACTERS = 128 * 1024
DOCUMENT_ASK_SECONDS = 2.0
CHANNEL_PAGES_MAX = 8
CHANNEL_NOTES_MAX = 50
CHANNEL_PATH_CHARACTERS_MAX = 4096
SERVING_SHOWN_MAX = 50
DROPPED_CELLS_KEPT_MAX = 32
FORGOTTEN_CHARACTERS_MIN = 4
REPLAY_START_SECONDS = 60.0
REPLAY_CELL_SECONDS = 600.0

# Deployment ---------------------------------------------------------------------------------------
CANARY_SHARE = 0.1
CANARY_SHARE_MAX = 0.9
CANARY_CALLS = 1_000
CANARY_CALLS_MAX = 10_000_000
CANARY_SECONDS = 300.0
CANARY_EXTENSIONS = 3
CANARY_PAIRS_MIN = 8
CANARY_PAIRS_MAX = 2_000
CANARY_NEW_CALLS_MIN = 40  # before it is promoted: of 40 calls one fails, most likely, where one in ten would
CANARY_PARTNERS = 3  # calls of the old version that one of the new is compared with
CANARY_FASTER = 0.1
CANARY_SLOWER = 0.2
CANARY_FEWER_ERRORS = 0.2
CANARY_MORE_ERRORS = 0.1
CANARY_TOLERANCE = 0.05
CANARY_EVIDENCE = 40.0  # of unequal failures: reached in at most one of so many comparisons of equals
CANARY_COPY_BYTES_MAX = 64 * MIB
CANARY_COPY_ITEMS_MAX = 20_000
LESSONS_KEPT_MAX = 100
ENDS_READ_MAX = 8  # of a notebook's lanes: so many kernels beside each other are expected at most
SAMPLED_CALLS = 8
SAMPLE_SECONDS = 1.0
METRICS_BUFFER_MAX = 10_000
METRICS_ROWS_MAX = 200_000
EVENTS_BYTES_MAX = 8 * MIB
HEALTH_CALLS = 32
HEALTH_WINDOWS = 10
HEALTH_SLOWER = 1.0
HEALTH_EVIDENCE = 1_000.0
HEALTH_FAILURES_MIN = 5
HEALTH_GROWTH_BYTES = 64 * MIB
HEALTH_LEAK_CALLS = 32
HEALTH_LEAK_BYTES = 64 * 1024  # a call: less is a cache that fills
HEALTH_LEAK_SECONDS = 10.0
PROBATION_SHARE = 0.5
PROBATION_CALLS = 400
PROBATION_SECONDS = 120.0
PROBATION_PAUSE_SECONDS = 60.0
RELEASE_STATES_MAX = 10_000

# Lisp ---------------------------------------------------------------------------------------------
LISP_NESTING_FORMS_MAX = 100
LISP_EXPANSIONS_MAX = 20_000
LISP_MESSAGE_CHARACTERS_MAX = 2_000
WORKFLOW_STEPS_MAX = 10_000
WORKFLOW_BRANCHES_MAX = 16
EMBEDDING_DIMENSIONS = 512
EMBEDDING_WORDS_MAX = 100_000
MEMORY_FEATURES_MAX = 65_536

# Models -------------------------------------------------------------------------------------------
MODEL_CONNECT_SECONDS = 10.0
MODEL_SILENCE_SECONDS = 60.0
MODEL_RETRIES_MAX = 2
MODEL_REPLY_CHARACTERS_MAX = 1_000_000
MODEL_REPLY_BYTES_MAX = 256 * MIB  # a stream of events has some hundred bytes for each few characters
MODEL_EVENT_BYTES_MAX = 8 * MIB
MODEL_REPLY_SECONDS_MAX = 900.0
MODEL_BACKOFF_SECONDS = 0.5
MODEL_RETRY_AFTER_SECONDS_MAX = 30.0
MODEL_STOP_SECONDS = 1.0
MODEL_REST_SECONDS = 60.0  # of several models, one that could not be asked is the last to be asked for so long
MODEL_WORDS_CHARACTERS_MAX = 300
TOOL_STEPS_MAX = 16
TOOL_SECONDS_MAX = 3600.0
WRITTEN_CALLS_MAX = 16

# Agents -------------------------------------------------------------------------------------------
AGENT_WAIT_SECONDS_MAX = 600.0
CONVERSATION_TURNS_MAX = 8
CONVERSATION_TOKENS_MAX = 12_000
COMPACTED_CHARACTERS_MAX = 160
TURNS_KEPT_MAX = 200
TURN_STATES_MAX = 200
MESSAGE_CHARACTERS_MAX = 200_000
INTERPOLATION_CHARACTERS_MAX = 20_000
FILES_LISTED_MAX = 500
FILE_READ_BYTES_MAX = 1 * MIB
FETCH_BYTES_MAX = 1 * MIB
FETCH_SECONDS = 10.0
VARIABLE_SHOWN_CHARACTERS_MAX = 1_000
PROPOSALS_OPEN_MAX = 20
PROPOSAL_MESSAGES_ASKED = 8  # of the last ones that went well, of a proposed agent and of what serves
TOOL_RESULT_CHARACTERS_MAX = 20_000
TOOL_ARGUMENT_CHARACTERS_MAX = 2_000
REPLY_CHARACTERS_MAX = 1_000_000
REPLY_SHOWN_CHARACTERS_MAX = 50_000
REPLY_INTERVAL_SECONDS = 0.1
MEMORY_TEXT_CHARACTERS_MAX = 20_000
FORGOTTEN_LISTED_MAX = 1_000
MEMORY_BLOCK_CHARACTERS_MIN = 64
MEMORY_BLOCK_CHARACTERS_MAX = 3_000
MEMORY_LOCK_SECONDS_MAX = 30.0
MEMORY_CHECKED_BYTES_MAX = 16 * MIB
MEMORY_MATRIX_BYTES_MAX = 1024 * MIB
MEMORY_STREAM_ROWS = 8_192
MEMORY_STRATEGY_SETTLED_RECALLS = 20
MEMORY_VIEWS_MAX = 2
PREFERENCE_COMBINATIONS_MAX = 4_096
PREFERENCE_THUMBS_MAX = 1_000
MEMORY_SOURCE_CHARACTERS_MAX = 200
MEMORY_CANDIDATES_MIN = 50
MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
MEMORY_STRENGTH_MIN = 0.1
MEMORY_MEANT_SCORE_MIN = 0.3
MEMORY_MEANT_MARGIN = 0.9
MEMORY_TAUGHT_SHARE = 0.9  # of the score of a question that is asked again in other words
MEMORY_TAUGHT_SCORE_MIN = 0.5  # a question less like the one that was taught is another question
ERRORS_KEPT_MAX = 100
ERROR_FRAMES_MAX = 12

# An agent left alone --------------------------------------------------------------------------------
PROBE_ROUNDS = 3
PROBE_REPEATS_MAX = 200
PROBE_SECONDS = 0.05  # of one round over a thing's cases
SIGN_LOSS_MIN = 0.4  # halvings: 1.3 times as slow, which noise does not show in the best of three rounds
DEED_SECONDS_MIN = 3.0  # less than that is no time for a run
DEED_RUN_SHARE = 0.6  # of the time that is left: the rest is the canary's
DEED_CANARY_CALLS = 2_000
DEED_RECOVERED_MIN = 0.5

# View ---------------------------------------------------------------------------------------------
PROGRESS_INTERVAL_SECONDS = 0.5
TABLE_ROWS_MAX = 200
RUN_ROWS_MAX = 12
CELL_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 2_000
SOURCE_LINES_MAX = 1_000
DIFF_LINES_MAX = 600
CHART_POINTS_MAX = 400
CONVERSATION_SHOWN_TURNS_MAX = 50
CONVERSATION_SHOWN_CHARACTERS_MAX = 200_000
MEMORY_ROWS_MAX = 100
MOMENT_ROWS_MAX = 30
MOMENTS_DRAWN_MAX = 120
MOMENTS_READ_MAX = 500
LINEAGE_NODES_MAX = 120
PANELS_OPEN_MAX = 20

assert FIRST_CALL_WALL_SECONDS < TRIAL_WALL_SECONDS
assert LOCKED_BUILD_MEMORY_BYTES < BUILD_MEMORY_BYTES
assert BUILD_OUTPUT_BYTES_MAX < BUILD_FLOOD_BYTES_MAX
assert BUILD_FILE_BYTES_MAX <= BUILD_FILES_BYTES_MAX <= BUILD_SCRATCH_BYTES
assert FIRST_CALL_ARGUMENT_BYTES_MAX < TRIAL_MEMORY_BYTES < ARENA_BYTES_MAX
# JSON escapes a character to at most six bytes: a whole document fits into one record.
assert DOCUMENT_CELL_CHARACTERS_MAX < DOCUMENT_CHARACTERS_MAX
assert DOCUMENT_CHARACTERS_MAX * 6 < JOURNAL_RECORD_BYTES_MAX
assert OUTPUT_INLINE_BYTES_MAX < OUTPUT_EVICTABLE_BYTES < OUTPUT_BYTES_MAX < JOURNAL_RECORD_BYTES_MAX
assert RATIO_ACCEPTED_LOW > 1.0
assert 2 * CANARY_PAIRS_MIN <= CANARY_PAIRS_MAX
assert CANARY_TOLERANCE < CANARY_FASTER <= CANARY_SLOWER
assert SAMPLED_CALLS < HEALTH_CALLS
assert CANARY_EVIDENCE >= 2 / (1 - CONFIDENCE)
assert SCENARIO_SECONDS_MIN < SCENARIO_SECONDS_MAX
assert 0.5 < CONFIDENCE < 1.0
assert REACH_QUICK_SECONDS < REACH_CALL_SECONDS < REACH_ANSWER_SECONDS < REACH_SECONDS
assert SCREENING_LOOK_PAIRS < SCREENING_PAIRS < FINAL_PAIRS_MIN <= FINAL_PAIRS_USUAL <= FINAL_PAIRS
assert abs(CONFIDENCE - (1 - 2 * FAMILY_ERROR_MAX)) < 1e-9
assert MODEL_CONNECT_SECONDS < MODEL_SILENCE_SECONDS < MODEL_REPLY_SECONDS_MAX
assert INTERPOLATION_CHARACTERS_MAX < MESSAGE_CHARACTERS_MAX <= REPLY_CHARACTERS_MAX
# In UTF-8 a block, with what stands beside it, is within one page of its file.
assert MEMORY_BLOCK_CHARACTERS_MAX * 4 + MEMORY_SOURCE_CHARACTERS_MAX * 4 < 16_000
assert MEMORY_TEXT_CHARACTERS_MAX <= 4 * CONVERSATION_TOKENS_MAX
assert MEMORY_ROWS_MAX <= TABLE_ROWS_MAX >= MOMENT_ROWS_MAX
