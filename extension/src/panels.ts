/**
 * Draws the kernel's panels. A notebook holds only the name of a panel's model: here it becomes the widget while the
 * kernel that made it lives, a sentence when that kernel has ended under it, and nothing in a notebook opened later.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { MimeModel, RenderMimeRegistry, Renderer } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';

const PANEL = 'application/vnd.project-o.panel+json';
const WIDGET = 'application/vnd.jupyter.widget-view+json';
const PROTOCOL = 1;
/** Below every renderer of static types, so that this one is asked first. */
const RANK = -20;
/** A kernel in one of these has forgotten its widgets, or is about to. */
const ENDED = ['restarting', 'autorestarting', 'terminating', 'dead'];
const TRIES_MAX = 10;
const TRY_MILLISECONDS = 1000;
const SENTENCE = 'This panel belonged to a kernel that has ended: run the cell again for a new one.';

class KernelPanel extends Panel implements Renderer {
  constructor(private readonly notebook: NotebookPanel) {
    super();
    this.hide();
    notebook.sessionContext.statusChanged.connect(this.onStatus, this);
    notebook.sessionContext.kernelChanged.connect(this.end, this);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.watcher?.disconnect();
      this.notebook.sessionContext.statusChanged.disconnect(this.onStatus, this);
      this.notebook.sessionContext.kernelChanged.disconnect(this.end, this);
      super.dispose();
    }
  }

  async renderModel(model: MimeModel): Promise<void> {
    const { model_id, version } = model.data[PANEL] as { model_id?: string; version?: number };
    if (!model_id || version !== PROTOCOL) {
      return; // made by another version of the kernel's side: its text stands above
    }
    this.draw(model_id);
    // After a reload of the page the notebook is drawn before the plugin of widgets has found it, and what that plugin
    // made until then stays empty. So this is made again until it is not, for a while.
    for (let tries = 0; tries < TRIES_MAX && this.drawn && !this.drawn.node.firstElementChild; tries++) {
      await new Promise(resolve => setTimeout(resolve, TRY_MILLISECONDS));
      if (this.isDisposed) {
        return;
      }
      if (this.drawn && !this.drawn.node.firstElementChild) {
        this.draw(model_id);
      }
    }
  }

  private draw(model_id: string): void {
    const rendermime = (this.notebook.content as unknown as { rendermime: RenderMimeRegistry }).rendermime;
    this.clear();
    try {
      this.drawn = rendermime.createRenderer(WIDGET);
    } catch {
      return; // nothing in this front end draws widgets
    }
    this.addWidget(this.drawn);
    // The renderer of widgets writes that it loads, or has not found, its model as bare text: shown is only a widget.
    const node = this.drawn.node;
    this.watcher = new MutationObserver(() => this.follow(node));
    this.watcher.observe(node, { childList: true });
    const data = { [WIDGET]: { model_id, version_major: 2, version_minor: 0 } };
    void this.drawn.renderModel(rendermime.createModel({ data, trusted: true }));
    this.follow(node);
  }

  private follow(node: HTMLElement): void {
    if (node.firstElementChild) {
      this.show();
    } else {
      this.hide();
    }
  }

  private onStatus(_: unknown, status: string): void {
    if (ENDED.includes(status)) {
      this.end();
    }
  }

  /** The kernel is another one now. What could be pressed until then says so; what was never shown stays away. */
  private end(): void {
    if (!this.drawn?.node.firstElementChild) {
      return;
    }
    this.clear();
    const text = new Widget();
    text.node.textContent = SENTENCE;
    text.node.setAttribute('role', 'status');
    text.node.style.cssText = 'padding: 2px 0; color: var(--jp-ui-font-color2); font: 13px var(--jp-ui-font-family)';
    this.addWidget(text);
    this.show();
  }

  private clear(): void {
    this.watcher?.disconnect();
    this.drawn = null;
    for (const widget of [...this.widgets]) {
      widget.dispose();
    }
  }

  private drawn: Renderer | null = null;
  private watcher: MutationObserver | null = null;
}

function teach(notebook: NotebookPanel): void {
  const { rendermime } = notebook.content as unknown as { rendermime: RenderMimeRegistry };
  const createRenderer = (): Renderer => new KernelPanel(notebook);
  rendermime.addFactory({ safe: true, mimeTypes: [PANEL], createRenderer }, RANK);
}

export const panels: JupyterFrontEndPlugin<void> = {
  id: 'project-o:panels',
  description: 'Draws the panels of the kernel, and keeps them out of saved notebooks.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker) => {
    tracker.forEach(teach);
    tracker.widgetAdded.connect((_, notebook) => teach(notebook));
  }
};
