/**
 * Cells that begin with a magic are edited in its language.
 *
 * JupyterLab sets a cell's language from the kernel's, by MIME type and asynchronously; setting another MIME type
 * loses that race, and would take completion away from IPython. So the MIME type stays, and CodeMirror's own
 * language facet is given a language of higher precedence, computed from the text of the first line.
 */

import {
  type IndentContext,
  LRLanguage,
  Language,
  StreamLanguage,
  defineLanguageFacet,
  foldNodeProp,
  indentNodeProp,
  indentService,
  indentUnit,
  language,
  languageDataProp
} from '@codemirror/language';
import { type EditorState, type Extension, type Text, Prec, StateField } from '@codemirror/state';
import { rustLanguage } from '@codemirror/lang-rust';
import {
  type Input,
  type PartialParse,
  type TreeFragment,
  NodeSet,
  NodeType,
  Parser,
  Tree
} from '@lezer/common';
import { styleTags, tags } from '@lezer/highlight';
import { parser as markdownParser } from '@lezer/markdown';
import { zigLanguage } from 'codemirror-lang-zig';
import { CLOSING, byBrackets } from './brackets';
import { lisp } from './lisp';

/** A cell's language: what parses it, and how wide its indentation is where that is not the editor's. */
interface Choice {
  readonly language: Language;
  readonly unit?: string;
  readonly indent?: (context: IndentContext, position: number) => number;
}

/** Parses the first line as one token and leaves the rest to another parser. */
class BelowMagic extends Parser {
  constructor(
    private readonly inner: Parser,
    private readonly nodes: NodeSet
  ) {
    super();
  }

  createParse(
    input: Input,
    fragments: readonly TreeFragment[],
    ranges: readonly { from: number; to: number }[]
  ): PartialParse {
    const from = ranges[0].from;
    const to = ranges[ranges.length - 1].to;
    const chunk = input.read(from, Math.min(to, from + MAGIC_CHARACTERS_MAX));
    const end = chunk.indexOf('\n');
    const body = end < 0 ? to : from + end;
    const rest = this.inner.startParse(input, fragments, [{ from: body, to }]);
    const [document, magic] = this.nodes.types;
    return {
      get parsedPos() {
        return rest.parsedPos;
      },
      get stoppedAt() {
        return rest.stoppedAt;
      },
      stopAt: position => rest.stopAt(position),
      advance: () => {
        const tree = rest.advance();
        if (!tree) {
          return null;
        }
        const first = new Tree(magic, [], [], body - from);
        return new Tree(document, [first, tree], [0, body - from], to - from);
      }
    };
  }
}

const MAGIC_CHARACTERS_MAX = 10_000;

/** ``inner`` below a magic's line. The data of the language (comments, brackets) are those of ``inner``. */
function belowMagic(inner: Language, parser: Parser): Language {
  const document = NodeType.define({ id: 0, name: 'Cell', top: true, props: [[languageDataProp, inner.data]] });
  const magic = NodeType.define({ id: 1, name: 'CellMagic' });
  const nodes = new NodeSet([document, magic]).extend(styleTags({ CellMagic: tags.meta }));
  return new Language(inner.data, new BelowMagic(parser, nodes), [], inner.name);
}

const lispBelowMagic = StreamLanguage.define({
  ...lisp,
  startState: (unit: number) => ({ first: true, inner: lisp.startState!(unit) }),
  copyState: state => ({ first: state.first, inner: lisp.copyState!(state.inner) }),
  token(stream, state) {
    if (state.first) {
      state.first = false;
      stream.skipToEnd();
      return 'meta';
    }
    return lisp.token(stream, state.inner);
  },
  blankLine: state => {
    state.first = false;
  },
  indent: (state, textAfter, context) => lisp.indent!(state.inner, textAfter, context)
});

const prose = new Language(
  defineLanguageFacet({ commentTokens: { block: { open: '<!--', close: '-->' } } }),
  markdownParser.configure({
    // A message is not folded, and its lines are indented as they were typed.
    props: [foldNodeProp.add(() => () => null), indentNodeProp.add({ Document: () => null })]
  }),
  [],
  'markdown'
);

/** The grammar colours and leaves indentation to others. */
const zigWithData = LRLanguage.define({
  name: 'zig',
  parser: zigLanguage.parser,
  languageData: {
    commentTokens: { line: '//' },
    closeBrackets: { brackets: ['(', '[', '{', '"'] },
    indentOnInput: CLOSING
  }
});

const zig = belowMagic(zigWithData, zigWithData.parser);
const rust = belowMagic(rustLanguage, rustLanguage.parser);
const message = belowMagic(prose, prose.parser);

/** The language that the first line of a cell asks for; null where it is the kernel's own. */
export function languageOf(firstLine: string): Choice | null {
  const found = /^%%(zig|rust|agent)(?=\s|$)(.*)/.exec(firstLine);
  switch (found?.[1]) {
    case 'zig':
      return ZIG;
    case 'rust':
      return RUST;
    case 'agent':
      // `%%agent NAME` is a message to that agent; alone, or with options only, the cell is Lisp.
      return found[2].split(/\s+/).some(word => word && !word.startsWith('-')) ? MESSAGE : LISP;
    default:
      return null;
  }
}

const ZIG: Choice = { language: zig, indent: byBrackets };
const RUST: Choice = { language: rust };
const LISP: Choice = { language: lispBelowMagic, unit: '  ' };
const MESSAGE: Choice = { language: message };

const pick = (text: Text): Choice | null => languageOf(text.line(1).text);

const chosen = StateField.define<Choice | null>({
  create: (state: EditorState) => pick(state.doc),
  update: (value, transaction) => (transaction.docChanged ? pick(transaction.newDoc) : value)
});

/** An editor that has no language at all ends in an exception inside CodeMirror, and its notebook does not open. */
const plain = StreamLanguage.define<null>({
  name: 'plain',
  startState: () => null,
  token: stream => {
    stream.skipToEnd();
    return null;
  }
});

/** What each code editor gets. */
export const magicLanguage: Extension = [
  chosen,
  Prec.lowest(language.of(plain)),
  Prec.highest(
    language.computeN([chosen], state => {
      const choice = state.field(chosen);
      return choice ? [choice.language] : [];
    })
  ),
  Prec.highest(
    indentService.computeN([chosen], state => {
      const indent = state.field(chosen)?.indent;
      return indent ? [indent] : [];
    })
  ),
  Prec.highest(
    indentUnit.computeN([chosen], state => {
      const unit = state.field(chosen)?.unit;
      return unit ? [unit] : [];
    })
  )
];
