/** Indentation by brackets, for a language whose grammar says nothing of it. */

import type { IndentContext } from '@codemirror/language';

/** A line that only just became a closing bracket is indented anew. */
export const CLOSING = /^\s*[)\]}]$/;

/** How many brackets a line leaves open (or, below zero, closes for lines above it); leading ones do not count. */
export function leftOpen(line: string): number {
  // Strings, characters, comments, and the rest of a line of a multi-line string hold no brackets.
  const code = line.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/.*|\\\\.*/g, '').replace(/^[\s)\]}]+/, '');
  let depth = 0;
  for (const character of code) {
    if ('([{'.includes(character)) {
      depth += 1;
    } else if (')]}'.includes(character)) {
      depth -= 1;
    }
  }
  return depth;
}

/** The column at which a line begins: that of the last line with something in it, one step in or out. */
export function byBrackets(context: IndentContext, position: number): number {
  const here = context.lineAt(position, 1);
  const document = context.state.doc;
  let line = document.lineAt(here.from);
  let text = document.sliceString(line.from, here.from);
  while (!text.trim() && line.number > 1) {
    line = document.line(line.number - 1);
    text = line.text;
  }
  if (line.number === 1) {
    return 0; // below the magic
  }
  const before = context.countColumn(text, text.search(/\S|$/));
  const step = Math.sign(leftOpen(text)) - (/^\s*[)\]}]/.test(here.text) ? 1 : 0);
  return Math.max(0, before + step * context.unit);
}
