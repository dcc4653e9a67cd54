/** The live document: what the notebook holds now, sent as what changed since the last time. */

import type { CellModel, NotebookContext } from '@jupyterlab/notebook';

/** Bounds of one message; the kernel has the same ones and refuses what is over them. */
export const CELLS_MAX = 10_000;
export const CELL_CHARACTERS_MAX = 1 << 20;
export const MESSAGE_CHARACTERS_MAX = 8 << 20;

/** Written by front ends at each execution: a state should not differ because of them. */
const VOLATILE = new Set(['execution', 'ExecuteTime', 'papermill', 'trusted']);

interface CellEntry {
  id: string;
  type: string;
  source?: string;
  metadata?: object;
  attachments?: object;
}

export interface DocumentMessage {
  type: 'document';
  path: string;
  cells: CellEntry[];
  metadata?: object;
  answers?: number;
}

function kept(metadata: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !VOLATILE.has(key)));
}

/** A cell whole. Outputs stay away: the kernel has seen them. */
function whole(cell: CellModel): CellEntry {
  const entry: CellEntry = { id: cell.id, type: cell.type, source: cell.sharedModel.getSource() };
  const metadata = kept(cell.sharedModel.getMetadata());
  if (Object.keys(metadata).length) {
    entry.metadata = metadata;
  }
  const attachments = cell.sharedModel.attachments;
  if (attachments && Object.keys(attachments).length) {
    entry.attachments = attachments;
  }
  return entry;
}

/** Remembers what one kernel was told of one notebook. */
export class LiveDocument {
  private readonly told = new Map<string, string>();
  private order = '';
  private metadata = '';

  constructor(private readonly context: NotebookContext) {}

  /** The kernel knows nothing: the next message is whole. */
  forget(): void {
    this.told.clear();
    this.order = '';
    this.metadata = '';
  }

  /**
   * What to send now; null where the kernel knows it already.
   *
   * A cell that is unchanged, or too large, is named without its source; so are cells for which the message has no
   * room left, and they come with the next one.
   */
  next(answers?: number): DocumentMessage | null {
    const model = this.context.model;
    if (!model) {
      return null;
    }
    const cells: CellEntry[] = [];
    let room = MESSAGE_CHARACTERS_MAX;
    let changed = false;
    for (const cell of model.cells) {
      const entry = whole(cell);
      const text = JSON.stringify(entry);
      if (this.told.get(entry.id) === text) {
        cells.push({ id: entry.id, type: entry.type });
      } else if (text.length > CELL_CHARACTERS_MAX || text.length > room) {
        cells.push({ id: entry.id, type: entry.type });
      } else {
        room -= text.length;
        changed = true;
        this.told.set(entry.id, text);
        cells.push(entry);
      }
    }
    if (cells.length > CELLS_MAX) {
      return null;
    }
    const order = cells.map(cell => `${cell.id} ${cell.type}`).join('\n');
    const message: DocumentMessage = { type: 'document', path: this.context.path, cells };
    const { widgets: _, ...settings } = kept(model.sharedModel.metadata);
    const metadata = JSON.stringify(settings);
    if (metadata !== this.metadata && metadata.length <= CELL_CHARACTERS_MAX) {
      this.metadata = metadata;
      message.metadata = settings;
      changed = true;
    }
    if (!changed && order === this.order && answers === undefined) {
      return null;
    }
    this.order = order;
    const present = new Set(cells.map(cell => cell.id));
    for (const id of [...this.told.keys()].filter(id => !present.has(id))) {
      this.told.delete(id);
    }
    return answers === undefined ? message : { ...message, answers };
  }
}
