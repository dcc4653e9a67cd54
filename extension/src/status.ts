/** The status item: what is recorded, how well candidates are locked in, what serves. */

import { type Popup, showPopup } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';
import { type Channel, type Standing, type Status, PROTOCOL } from './channel';

const NAMES_SHOWN_MAX = 3;

/** The item's line. */
export function line(standing: Standing): string {
  switch (standing.kind) {
    case 'none':
      return '';
    case 'absent':
      return standing.expected ? 'Project O: not loaded' : '';
    case 'mismatch':
      return `Project O: ${mismatch(standing)}`;
    case 'open':
      return standing.status ? `Project O: ${summary(standing.status)}` : 'Project O: loaded';
  }
}

function mismatch(standing: { protocol: number; version: string }): string {
  const older = standing.protocol < PROTOCOL ? 'kernel' : 'JupyterLab extension';
  return `the ${older} is too old (protocol ${PROTOCOL} here, ${standing.protocol} in the kernel)`;
}

function summary(status: Status): string {
  const parts = [status.recording ? 'recording' : 'not recording'];
  if (status.problem) {
    parts[0] = status.recording ? 'recording with a problem' : 'not recording: problem';
  }
  if (status.level) {
    parts.push(`sandbox ${status.level}`);
  }
  const names = status.serving.map(item => item.name);
  const more = names.length - NAMES_SHOWN_MAX;
  parts.push(
    names.length
      ? `serving ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
      : 'nothing serves'
  );
  return parts.join(' · ');
}

/** What the tooltip and the list that a click opens say, row by row. */
export function details(standing: Standing): [string, string][] {
  if (standing.kind === 'absent') {
    return [['Project O', 'is not loaded in this kernel: run %load_ext project_o']];
  }
  if (standing.kind === 'mismatch') {
    return [
      ['Project O', mismatch(standing)],
      ['what to do', 'install the same version in both, restart the kernel and reload this page'],
      ['until then', 'cells are coloured and recorded; markdown and order come from the file; there are no panels']
    ];
  }
  if (standing.kind !== 'open') {
    return [];
  }
  if (!standing.status) {
    return [['Project O', standing.version]];
  }
  const status = standing.status;
  const rows: [string, string][] = [
    ['Project O', standing.version],
    ['recording', status.recording ? `on, ${status.states} ${status.states === 1 ? 'state' : 'states'} in this kernel` : 'off: %o on'],
    ['store', status.store || 'nowhere']
  ];
  if (status.problem) {
    rows.push(['problem', status.problem]);
  }
  rows.push(['sandbox', status.level ? `level ${status.level}` : 'not tried yet']);
  if (status.level_reason) {
    rows.push(['sandbox', status.level_reason]);
  }
  for (const item of status.serving) {
    rows.push([`serving ${item.name}`, `${item.language} ${item.digest}, ${item.origin}`]);
  }
  return rows;
}

/** The item. It shows the channel of the notebook in front, whichever that is. */
export class StatusItem extends Widget {
  private channel: Channel | null = null;
  private list: Widget | null = null;
  private popup: Popup | null = null;

  constructor() {
    super({ node: document.createElement('button') });
    this.addClass('project-o-status');
    this.node.setAttribute('type', 'button');
    this.node.addEventListener('click', () => this.open());
    // The list has nothing to focus, so that the key arrives here.
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.close();
      }
    });
    this.paint();
  }

  /** Follow another notebook's channel, or none. */
  follow(channel: Channel | null): void {
    if (channel !== this.channel) {
      this.channel?.changed.disconnect(this.paint, this);
      this.channel = channel;
      channel?.changed.connect(this.paint, this);
    }
    this.paint();
  }

  private paint(): void {
    const standing: Standing = this.channel?.standing ?? { kind: 'none' };
    const rows = details(standing).map(row => row.join(': '));
    this.node.textContent = line(standing);
    this.node.title = rows.join('\n');
    this.node.dataset.state = standing.kind;
    this.node.style.display = line(standing) ? '' : 'none';
    if (this.list && !this.list.isDisposed) {
      if (this.list.node.querySelectorAll('dt').length === rows.length) {
        fill(this.list, standing);
      } else {
        this.display(standing); // it was given its place and height with what it held then
      }
    }
  }

  close(): void {
    this.popup?.dispose();
    this.popup = this.list = null;
  }

  private open(): void {
    this.close();
    if (this.channel) {
      this.channel.refresh();
      this.display(this.channel.standing);
    }
  }

  private display(standing: Standing): void {
    this.close();
    if (!details(standing).length) {
      return;
    }
    this.list = new Widget();
    this.list.addClass('project-o-status-list');
    fill(this.list, standing);
    // Leftwards from the item it would leave the window, and be hidden.
    this.popup = showPopup({ body: this.list, anchor: this, align: 'left' });
  }
}

function fill(list: Widget, standing: Standing): void {
  const table = document.createElement('dl');
  for (const [what, value] of details(standing)) {
    const term = document.createElement('dt');
    const text = document.createElement('dd');
    term.textContent = what;
    text.textContent = value;
    table.append(term, text);
  }
  list.node.replaceChildren(table);
}
