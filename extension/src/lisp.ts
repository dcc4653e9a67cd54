/** Hy for CodeMirror: colours, and the indentation that Lisp programmers expect. */

import type { StreamParser, StringStream } from '@codemirror/language';

/** An open bracket: where it stands, and the column that lines inside it begin at once that is known. */
interface Open {
  readonly column: number;
  readonly bracket: string;
  head: string | null;
  body: number | null;
}

interface State {
  open: Open[];
  /** What ends the string that the line begins in; empty outside of strings. */
  until: string;
  raw: boolean;
}

const STEP = 2;
const DELIMITERS = /[()[\]{}\s";'`~,]/;
const STRING = /^(?:b|br|rb|r|f|fr|rf)?"/;
const BRACKET_STRING = /^#\[([^[\]]*)\[/;
const NUMBER = /^[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?j?)$/;
const CONSTANTS = new Set(['True', 'False', 'None', 'Inf', 'NaN', '...']);
/** Forms whose arguments are a body: it is indented by one step, wherever the first argument stands. */
const BODIES = new Set([
  'cond', 'do', 'else', 'except', 'finally', 'fn', 'for', 'if', 'import', 'let', 'lfor', 'gfor', 'dfor', 'sfor',
  'match', 'require', 'try', 'unless', 'when', 'while', 'with', 'body', 'quasiquote'
]);
const WORDS = new Set([
  ...BODIES, 'and', 'as', 'assert', 'await', 'break', 'continue', 'cut', 'del', 'get', 'global', 'in', 'is', 'is-not',
  'not', 'not-in', 'nonlocal', 'or', 'pys', 'py', 'quote', 'raise', 'return', 'setv', 'setx', 'unpack-iterable',
  'unpack-mapping', 'unquote', 'yield', 'has-tool?', 'get-arg', 'llm-respond', '->', '->>', 'when->'
]);

const hasBody = (head: string): boolean => BODIES.has(head) || /^(?:def|with|when|let)/.test(head);

function inString(stream: StringStream, state: State): string {
  while (!stream.eol()) {
    if (stream.match(state.until)) {
      state.until = '';
      break;
    }
    if (stream.next() === '\\' && !state.raw) {
      stream.next();
    }
  }
  return 'string';
}

/** The first things inside a bracket decide how its lines are indented. */
function note(state: State, column: number, word: string): void {
  const open = state.open[state.open.length - 1];
  if (!open || open.body !== null) {
    return;
  }
  if (open.bracket !== '(') {
    open.body = column;
  } else if (open.head === null) {
    open.head = word;
    if (hasBody(word)) {
      open.body = open.column + STEP;
    }
  } else {
    open.body = column;
  }
}

function token(stream: StringStream, state: State): string | null {
  if (state.until) {
    return inString(stream, state);
  }
  if (stream.sol()) {
    // A head alone on its line: what follows is a body too.
    for (const open of state.open) {
      open.body ??= open.column + (open.bracket === '(' && open.head !== null ? STEP : 1);
    }
  }
  if (stream.eatSpace()) {
    return null;
  }
  const column = stream.column();
  if (stream.match(/^(?:;|#!).*/)) {
    return 'comment';
  }
  const bracketString = stream.match(BRACKET_STRING) as RegExpMatchArray | null;
  if (bracketString || stream.match(STRING)) {
    note(state, column, '"');
    state.raw = bracketString !== null || stream.current().includes('r');
    state.until = bracketString ? `]${bracketString[1]}]` : '"';
    return inString(stream, state);
  }
  if (stream.match(/^#?[([{]/)) {
    note(state, column, '(');
    const bracket = stream.current().slice(-1);
    state.open.push({ column: stream.column() + stream.current().length - 1, bracket, head: null, body: null });
    return 'bracket';
  }
  if (stream.match(/^[)\]}]/)) {
    state.open.pop();
    return 'bracket';
  }
  if (stream.match(/^(?:#\^|#_|~@|#\*\*?|['`~,])/)) {
    return 'meta';
  }
  stream.next();
  stream.eatWhile(character => !DELIMITERS.test(character));
  const word = stream.current();
  const isHead = state.open.length > 0 && state.open[state.open.length - 1].head === null;
  note(state, column, word);
  if (NUMBER.test(word)) {
    return 'number';
  }
  if (word.startsWith(':') || CONSTANTS.has(word)) {
    return 'atom';
  }
  if (isHead && (WORDS.has(word) || /^def/.test(word))) {
    return 'keyword';
  }
  return isHead ? 'variableName.function' : 'variableName';
}

/** The parser; its state is copied for each line, so that the editor can begin anywhere. */
export const lisp: StreamParser<State> = {
  name: 'hy',
  startState: () => ({ open: [], until: '', raw: false }),
  copyState: state => ({ ...state, open: state.open.map(open => ({ ...open })) }),
  token,
  indent(state, textAfter) {
    const open = state.open[state.open.length - 1];
    // The rest of a string begins where its line begins: spaces would be part of it.
    if (state.until || !open) {
      return 0;
    }
    if (/^[)\]}]/.test(textAfter)) {
      return open.column;
    }
    return open.body ?? open.column + (open.bracket === '(' && open.head !== null ? STEP : 1);
  },
  languageData: {
    closeBrackets: { brackets: ['(', '[', '{', '"'] },
    commentTokens: { line: ';' },
    indentOnInput: /^\s*[)\]}]$/
  }
};
