/**
 * The one channel between an open notebook and its kernel; PROTOCOL.md beside this folder specifies it.
 *
 * The front end opens it, and only where Project O can be expected: an unknown comm target is an error line in the log
 * of a kernel that never heard of us.
 */

import { Notification } from '@jupyterlab/apputils';
import type { CellModel, Comm, Kernel, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { LiveDocument } from './document';

export const PROTOCOL = 1;
const TARGET = 'project_o';
const KERNELSPEC = 'project-o';
const SUBSHELL_SECONDS = 3;
const RUNNING_SECONDS = 15;
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
  private finished: (() => void) | null = null;

  constructor(private readonly panel: NotebookPanel) {
    this.document = new LiveDocument(panel);
    const session = panel.sessionContext;
    session.kernelChanged.connect(() => this.attach());
    session.statusChanged.connect((_, status) => this.follow(status));
    panel.context.saveState.connect((_, state) => {
      if (state.startsWith('completed')) {
        this.tell();
      }
    });
    panel.context.pathChanged.connect(() => this.tell(undefined, true));
    panel.disposed.connect(() => this.close());
    void Promise.all([session.ready, panel.context.ready]).then(() => this.attach());
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

  /** Ask for a fresh status; the answer comes as ``changed``. */
  refresh(): void {
    this.send({ type: 'status' });
  }

  // ------------------------------------------------------------------------------ the kernel's life

  private attach(): void {
    const kernel = this.panel.sessionContext.session?.kernel ?? null;
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
        // A page that was reloaded finds the comm that it had before.
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
    for (const cell of this.panel.model?.cells ?? []) {
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
      settle(comm.open({ protocol: PROTOCOL, path: this.panel.context.path }));
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

  private close(): void {
    if (this.comm && !this.comm.isDisposed && !this.kernel?.isDisposed) {
      settle(this.comm.close());
      this.comm = null;
    }
    this.lose();
    this.kernel = null;
    Signal.clearData(this);
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
    const message = this.document.next(answers);
    if (message) {
      this.send(message);
    } else if (moved) {
      this.send({ type: 'moved', path: this.panel.context.path });
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

  /** Show what the file holds now. The cell that asked for it is let finish first: its end would be lost. */
  private async reload(text: string): Promise<void> {
    if (this.running.size > 0) {
      await Promise.race([new Promise<void>(done => (this.finished = done)), seconds(RUNNING_SECONDS)]);
      this.finished = null;
    }
    if (this.panel.isDisposed || this.panel.context.isDisposed) {
      return;
    }
    try {
      await this.panel.context.revert();
      this.running.clear();
      // Whole, also where nothing differs: the kernel counts on what is shown only from this message on.
      this.document.forget();
      this.tell();
      Notification.info(text, { autoClose: 10_000 });
    } catch (error) {
      Notification.warning(`The restored notebook could not be loaded (${error}): choose File, Reload from Disk.`);
    }
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
