/**
 * What this extension uses of JupyterLab 4, and nothing more. The packages themselves are not installed to build it:
 * the application provides them, and the builder only needs to know their names. A name that is missing here is a
 * compile error, so this file is also the list of what a new JupyterLab could break.
 */

declare module '@lumino/signaling' {
  export interface ISignal<T, U> {
    connect(slot: (sender: T, args: U) => void, thisArg?: unknown): boolean;
    disconnect(slot: (sender: T, args: U) => void, thisArg?: unknown): boolean;
  }
  export class Signal<T, U> implements ISignal<T, U> {
    constructor(sender: T);
    connect(slot: (sender: T, args: U) => void, thisArg?: unknown): boolean;
    disconnect(slot: (sender: T, args: U) => void, thisArg?: unknown): boolean;
    emit(args: U): void;
    static clearData(object: unknown): void;
  }
}

declare module '@lumino/widgets' {
  export class Widget {
    constructor(options?: { node?: HTMLElement });
    readonly node: HTMLElement;
    readonly isDisposed: boolean;
    readonly isVisible: boolean;
    readonly disposed: import('@lumino/signaling').ISignal<Widget, void>;
    addClass(name: string): void;
    dispose(): void;
    hide(): void;
    show(): void;
  }
}

declare module '@jupyterlab/application' {
  export interface JupyterFrontEnd {
    readonly commands: { execute(id: string, args?: object): Promise<unknown> };
  }
  export interface JupyterFrontEndPlugin<T> {
    id: string;
    description: string;
    autoStart: boolean;
    requires?: unknown[];
    optional?: unknown[];
    activate(app: JupyterFrontEnd, ...services: never[]): T;
  }
}

declare module '@jupyterlab/codemirror' {
  export const IEditorExtensionRegistry: unknown;
  export interface IEditorExtensionRegistry {
    addExtension(factory: {
      name: string;
      factory(options: { model?: { type?: string } }): unknown;
    }): void;
  }
  export const EditorExtensionRegistry: {
    createImmutableExtension(extension: import('@codemirror/state').Extension): unknown;
  };
}

declare module '@jupyterlab/statusbar' {
  export const IStatusBar: unknown;
  export interface IStatusBar {
    registerStatusItem(
      id: string,
      item: { item: import('@lumino/widgets').Widget; align: 'left' | 'right'; rank: number; isActive(): boolean }
    ): void;
  }
  export interface Popup {
    dispose(): void;
  }
  export function showPopup(options: {
    body: import('@lumino/widgets').Widget;
    anchor: import('@lumino/widgets').Widget;
    align: 'left' | 'right';
  }): Popup;
}

declare module '@jupyterlab/apputils' {
  export const Notification: {
    info(message: string, options?: { autoClose?: number | false }): string;
    warning(message: string, options?: { autoClose?: number | false }): string;
  };
}

declare module '@jupyterlab/notebook' {
  import type { ISignal } from '@lumino/signaling';
  import type { Widget } from '@lumino/widgets';

  export interface Comm {
    readonly subshellStarted?: Promise<void>;
    onMsg: (message: { content: { data: unknown } }) => void;
    onClose: (message: unknown) => void;
    readonly isDisposed: boolean;
    open(data: object): { readonly done: Promise<unknown> };
    send(data: object): { readonly done: Promise<unknown> };
    close(): { readonly done: Promise<unknown> };
    dispose(): void;
  }
  export interface Kernel {
    readonly id: string;
    readonly name: string;
    readonly isDisposed: boolean;
    readonly supportsSubshells?: boolean;
    readonly info: Promise<unknown>;
    createComm(target: string): Comm;
    requestCommInfo(content: { target_name: string }): Promise<{ content: { status: string; comms?: object } }>;
  }
  export interface SessionContext {
    readonly session: { readonly kernel: Kernel | null } | null;
    readonly ready: Promise<void>;
    readonly disposed: ISignal<SessionContext, void>;
    readonly kernelChanged: ISignal<SessionContext, unknown>;
    readonly statusChanged: ISignal<SessionContext, string>;
  }
  export interface CellModel {
    readonly id: string;
    readonly type: string;
    readonly isDisposed: boolean;
    readonly sharedModel: {
      getSource(): string;
      getMetadata(): Record<string, unknown>;
      attachments?: Record<string, unknown>;
    };
  }
  export interface NotebookModel {
    dirty: boolean;
    readonly cells: Iterable<CellModel>;
    readonly sharedModel: { metadata: Record<string, unknown> };
  }
  /** One for each open notebook; several views may show it. */
  export interface NotebookContext {
    readonly path: string;
    readonly model: NotebookModel | null;
    readonly sessionContext: SessionContext;
    readonly ready: Promise<void>;
    readonly isDisposed: boolean;
    readonly pathChanged: ISignal<unknown, string>;
    readonly saveState: ISignal<unknown, 'started' | 'completed' | 'failed' | 'completed manually'>;
    revert(): Promise<void>;
  }
  export interface NotebookPanel extends Widget {
    readonly content: Widget;
    readonly sessionContext: SessionContext;
    readonly context: NotebookContext;
  }
  export const INotebookTracker: unknown;
  export interface INotebookTracker {
    readonly currentWidget: NotebookPanel | null;
    readonly widgetAdded: ISignal<INotebookTracker, NotebookPanel>;
    readonly currentChanged: ISignal<INotebookTracker, NotebookPanel | null>;
    forEach(visit: (panel: NotebookPanel) => void): void;
  }
  export const NotebookActions: {
    readonly executionScheduled: ISignal<unknown, { notebook: Widget; cell: { model: CellModel } }>;
    readonly executed: ISignal<unknown, { notebook: Widget; cell: { model: CellModel } }>;
  };
}
