/** The status item in the colours of the theme. */

export const STYLE = `
.project-o-status {
  border: none;
  background: transparent;
  color: inherit;
  font: inherit;
  line-height: inherit;
  padding: 0 8px;
  cursor: pointer;
  white-space: nowrap;
}
.project-o-status:hover { background: var(--jp-layout-color3); }
.project-o-status:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: -2px; }
.project-o-status[data-state='mismatch'] { box-shadow: inset 0 -3px var(--jp-warn-color0); }
.project-o-status-list { padding: 8px 12px; background: var(--jp-layout-color1); color: var(--jp-ui-font-color1); }
.project-o-status-list dl { display: grid; grid-template-columns: max-content minmax(0, 48ch); gap: 2px 12px; margin: 0; }
.project-o-status-list dt { color: var(--jp-ui-font-color2); }
.project-o-status-list dd { margin: 0; overflow-wrap: anywhere; }
`;
