/**
 * The one channel between an open notebook and its kernel; PROTOCOL.md beside this folder specifies it.
 *
 * The front end opens it, and only where Project O can be expected: an unknown comm target is an error line in the log
 * of a kernel that never heard of us.
 */

import { Notification } from '@jupyterlab/apputils';
import type { CellModel, Comm, Kernel, NotebookContext } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { LiveDocument } from './document';

export const PROTOCOL = 1;
const TARGET = 'project_o';
const KERNELSPEC = 'project-o';
const SUBSHELL_SECONDS = 3;
const LOOK_SECONDS = 1;
const PATIENCE_SECONDS = 3;
/** A cell that may have loaded the extension, or that shows that the notebook means to. */
const OURS = /\bproject_o\b|^%%?(?:zig|rust|agent|evolve|o)\b/m;

/** One name that serves, as the kernel tells it. */
export interface Serving {
  name: string;
  language: string;
  origin: string;
  digest: string;
}

/** What the kernel says of itself. ``level`` is empty until the sandbox was tried. */
export interface Status {
  recording: boolean;
  problem: string;
  level: string;
  level_reason: string;
  states: number;
  store: string;
  serving: Serving[];
}

/** What the status item shows. */
export type Standing =
  | { kind: 'none' }
  | { kind: 'absent'; expected: boolean }
  | { kind: 'mismatch'; protocol: number; version: string }
  | { kind: 'open'; version: string; status: Status | null };

interface Message {
  type?: string;
  protocol?: number;
  version?: string;
  number?: number;
  text?: string;
  status?: Status;
}

const seconds = (count: number): Promise<void> => new Promise(done => setTimeout(done, count * 1000));

export class Channel {
  readonly changed = new Signal<this, void>(this);
  standing: Standing = { kind: 'none' };

  private readonly document: LiveDocument;
  private readonly running = new Set<CellModel>();
  private comm: Comm | null = null;
  private kernel: Kernel | null = null;
  private restarting = false;
  /** What a reload will say that waits for cells to end. */
  private waiting: string | null = null;
  private finished: (() => void) | null = null;

  constructor(private readonly context: NotebookContext) {
    this.document = new LiveDocument(context);
    const session = context.sessionContext;
    session.kernelChanged.connect(() => this.attach());
    session.statusChanged.connect((_, status) => this.follow(status));
    context.saveState.connect((_, state) => {
      if (state.startsWith('completed')) {
        this.tell();
      }
    });
    context.pathChanged.connect(() => this.tell(undefined, true));
    void Promise.all([session.ready, context.ready]).then(() => this.attach());
  }

  /** A cell of this notebook is about to be sent to the kernel. */
  scheduled(cell: CellModel): void {
    this.running.add(cell);
    this.tell();
  }

  /** A cell of this notebook has run, or was given up. */
  executed(cell: CellModel): void {
    this.running.delete(cell);
    this.finished?.();
    if (cell.type === 'code' && !this.comm && OURS.test(cell.sharedModel.getSource())) {
      this.open();
    }
  }

  /** The last view of the notebook is gone. */
  close(): void {
    if (this.comm && !this.comm.isDisposed && !this.kernel?.isDisposed) {
      settle(this.comm.close());
      this.comm = null;
    }
    this.lose();
    this.kernel = null;
    Signal.clearData(this);
  }

  /** Ask for a fresh status; the answer comes as ``changed``. */
  refresh(): void {
    this.send({ type: 'status' });
  }

  // ------------------------------------------------------------------------------ the kernel's life

  private attach(): void {
    const kernel = this.context.sessionContext.session?.kernel ?? null;
    if (kernel === this.kernel) {
      return;
    }
    this.lose();
    this.kernel = kernel;
    if (kernel) {
      void this.look(kernel);
    } else {
      this.stand({ kind: 'none' });
    }
  }

  private follow(status: string): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this.restarting = true;
      this.lose();
      this.stand({ kind: 'none' });
    } else if (status === 'dead' || status === 'terminating') {
      this.lose();
      this.stand({ kind: 'none' });
    } else if (this.restarting && status === 'idle' && this.kernel) {
      this.restarting = false;
      void this.look(this.kernel);
    }
  }

  /** Open the channel if this kernel is known to have the other end. */
  private async look(kernel: Kernel): Promise<void> {
    try {
      await kernel.info;
      let there = kernel.name === KERNELSPEC;
      if (!there) {
        // A kernel with the other end lists a comm of ours: a page that comes later, or again, finds it.
        const { content } = await kernel.requestCommInfo({ target_name: TARGET });
        there = content.status === 'ok' && Object.keys(content.comms ?? {}).length > 0;
      }
      if (kernel !== this.kernel || kernel.isDisposed || this.comm) {
        return;
      }
      if (there) {
        this.open();
      } else {
        this.stand({ kind: 'absent', expected: this.expected() });
      }
    } catch {
      // The kernel went away while it was asked; what follows it is looked at in its turn.
    }
  }

  private expected(): boolean {
    for (const cell of this.context.model?.cells ?? []) {
      if (cell.type === 'code' && OURS.test(cell.sharedModel.getSource())) {
        return true;
      }
    }
    return false;
  }

  private open(): void {
    const kernel = this.kernel;
    if (!kernel || kernel.isDisposed || this.comm) {
      return;
    }
    const comm = kernel.createComm(TARGET);
    this.comm = comm;
    this.document.forget();
    comm.onMsg = message => {
      if (this.comm === comm) {
        this.receive(message.content.data as Message);
      }
    };
    comm.onClose = () => {
      if (this.comm === comm) {
        this.comm = null;
        this.stand({ kind: 'absent', expected: this.expected() });
      }
    };
    void this.begin(kernel, comm);
  }

  private async begin(kernel: Kernel, comm: Comm): Promise<void> {
    // Before its subshell is there, the message would wait for the cell that is running.
    if (kernel.supportsSubshells && comm.subshellStarted) {
      await Promise.race([comm.subshellStarted, seconds(SUBSHELL_SECONDS)]);
    }
    if (this.comm === comm && !comm.isDisposed) {
      settle(comm.open({ protocol: PROTOCOL, path: this.context.path }));
    }
  }

  private lose(): void {
    const comm = this.comm;
    this.comm = null;
    this.document.forget();
    this.running.clear();
    this.finished?.();
    if (comm && !comm.isDisposed) {
      comm.dispose();
    }
  }

  // ------------------------------------------------------------------------------ messages

  private send(message: object): void {
    if (this.comm && !this.comm.isDisposed && this.standing.kind === 'open') {
      settle(this.comm.send(message));
    }
  }

  /** Send the live document, if it is not known already. */
  private tell(answers?: number, moved = false): void {
    if (this.standing.kind !== 'open') {
      return;
    }
    if (this.waiting !== null) {
      // What is shown was replaced: to the kernel it is no longer the notebook.
      this.send({ type: 'moved', path: this.context.path, answers });
      return;
    }
    const message = this.document.next(answers);
    if (message) {
      this.send(message);
    } else if (moved) {
      this.send({ type: 'moved', path: this.context.path });
    }
  }

  private receive(message: Message): void {
    switch (message.type) {
      case 'hello':
        this.greet(message);
        break;
      case 'status':
        if (this.standing.kind === 'open' && message.status) {
          // Details come when they are asked for; what is told after each cell leaves them out.
          this.stand({ ...this.standing, status: { ...this.standing.status, ...message.status } });
        }
        break;
      case 'ask':
        this.tell(message.number);
        break;
      case 'reload':
        void this.reload(message.text ?? 'The notebook was restored.');
        break;
    }
  }

  private greet(message: Message): void {
    const version = String(message.version ?? '');
    if (message.protocol !== PROTOCOL) {
      this.stand({ kind: 'mismatch', protocol: Number(message.protocol), version });
    } else {
      this.stand({ kind: 'open', version, status: null });
      this.tell();
    }
  }

  /** Show what the file holds now, when no cell runs any more: what is shown anew takes no outputs of those before. */
  private async reload(text: string): Promise<void> {
    const isFirst = this.waiting === null;
    this.waiting = text;
    if (!isFirst) {
      return; // one is about to be made, and shows the newest file
    }
    for (let shown: string | null = null; shown !== this.waiting; ) {
      await this.idle();
      if (this.context.isDisposed) {
        return;
      }
      shown = this.waiting; // another restore may come while the file is read
      try {
        await this.context.revert();
        if (this.context.model) {
          // JupyterLab adds metadata of its own as it reads the file: that is no edit, and there is nothing to save.
          this.context.model.dirty = false;
        }
        Notification.info(shown ?? '', { autoClose: 10_000 });
      } catch (error) {
        Notification.warning(`The restored notebook could not be loaded (${error}): choose File, Reload from Disk.`);
      }
    }
    this.waiting = null;
    // Whole, also where nothing differs: the kernel counts on what is shown only from this message on.
    this.document.forget();
    this.tell();
  }

  private async idle(): Promise<void> {
    for (let waited = 0; this.isBusy(); waited += LOOK_SECONDS) {
      if (waited === PATIENCE_SECONDS) {
        Notification.info('The restored notebook is shown as soon as the running cells have ended.', { autoClose: 5000 });
      }
      await Promise.race([new Promise<void>(done => (this.finished = done)), seconds(LOOK_SECONDS)]);
      this.finished = null;
    }
  }

  private isBusy(): boolean {
    for (const cell of [...this.running].filter(cell => cell.isDisposed)) {
      this.running.delete(cell); // it was deleted while it ran: nobody says when it ends
    }
    return this.running.size > 0;
  }

  private stand(standing: Standing): void {
    this.standing = standing;
    this.changed.emit();
  }
}

/** A message to a kernel that ends meanwhile is canceled; that is no fault of the page. */
function settle(future: { readonly done: Promise<unknown> }): void {
  future.done.catch(() => undefined);
}
