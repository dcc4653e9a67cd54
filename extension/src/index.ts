/** The plugins: languages of cells, the channel of each notebook, the status item. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookActions, type NotebookContext, type NotebookPanel } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import type { Widget } from '@lumino/widgets';
import { Channel } from './channel';
import { magicLanguage } from './languages';
import { panels } from './panels';
import { StatusItem } from './status';
import { STYLE } from './style';

const STATUS_RANK = 40;

const languages: JupyterFrontEndPlugin<void> = {
  id: 'project-o:languages',
  description: 'Edits cells that begin with %%zig, %%rust or %%agent in their language.',
  autoStart: true,
  requires: [IEditorExtensionRegistry],
  activate: (_app: JupyterFrontEnd, registry: IEditorExtensionRegistry) => {
    registry.addExtension({
      name: 'project-o:magic-language',
      factory: ({ model }) =>
        // A markdown cell that quotes a magic stays markdown.
        model?.type === 'markdown' || model?.type === 'raw'
          ? null
          : EditorExtensionRegistry.createImmutableExtension(magicLanguage)
    });
  }
};

const notebooks: JupyterFrontEndPlugin<void> = {
  id: 'project-o:notebooks',
  description: 'Joins each notebook with the history of its kernel, and shows what the kernel says of itself.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IStatusBar],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker, statusBar: IStatusBar | null) => {
    // One for all views of a notebook: each would reload it, and a view may be closed before the others.
    const channels = new Map<NotebookContext, Channel>();
    const byView = new WeakMap<Widget, Channel>();
    const item = new StatusItem();
    const show = (panel: NotebookPanel | null): void => {
      item.follow((panel && byView.get(panel.content)) ?? null);
    };
    const join = (panel: NotebookPanel): void => {
      const { content, context } = panel;
      if (!byView.has(content)) {
        const channel = channels.get(context) ?? new Channel(context);
        if (!channels.has(context)) {
          channels.set(context, channel);
          // It goes with the last view of the notebook, and before its connection: the kernel can still be told.
          context.sessionContext.disposed.connect(() => {
            channel.close();
            channels.delete(context);
          });
        }
        byView.set(content, channel);
      }
      show(tracker.currentWidget);
    };
    NotebookActions.executionScheduled.connect((_, { notebook, cell }) => byView.get(notebook)?.scheduled(cell.model));
    NotebookActions.executed.connect((_, { notebook, cell }) => byView.get(notebook)?.executed(cell.model));
    tracker.forEach(join);
    tracker.widgetAdded.connect((_, panel) => join(panel));
    tracker.currentChanged.connect((_, panel) => show(panel));
    if (statusBar) {
      const style = document.createElement('style');
      style.textContent = STYLE;
      document.head.append(style);
      statusBar.registerStatusItem('project-o:status', {
        item,
        align: 'left',
        rank: STATUS_RANK,
        isActive: () => true // it hides itself where it has nothing to say
      });
    }
  }
};

export default [languages, notebooks, panels];
