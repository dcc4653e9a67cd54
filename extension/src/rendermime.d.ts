/** What the panels use of JupyterLab 4 beside what jupyterlab.d.ts lists. */

declare module '@lumino/widgets' {
  export class Panel extends Widget {
    readonly widgets: readonly Widget[];
    addWidget(widget: Widget): void;
  }
}

declare module '@jupyterlab/rendermime' {
  import type { Widget } from '@lumino/widgets';

  export interface MimeModel {
    readonly data: Readonly<Record<string, unknown>>;
  }
  export interface Renderer extends Widget {
    renderModel(model: MimeModel): Promise<void>;
  }
  export interface RenderMimeRegistry {
    addFactory(
      factory: { safe: boolean; mimeTypes: string[]; createRenderer(options: object): Renderer },
      rank: number
    ): void;
    createModel(options: { data: Record<string, unknown>; trusted: boolean }): MimeModel;
    createRenderer(mimeType: string): Renderer;
  }
}
