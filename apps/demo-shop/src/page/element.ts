/** The element of the page with this id. Throws where the page and its script do not fit together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** A new element; text among its children is text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string>> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button. `key` names what it does, so that focus finds its successor when a list is drawn anew. */
export function button(label: string, key: string, act: () => void, look = ''): HTMLButtonElement {
  const made = element('button', { type: 'button', 'data-key': key, ...(look && { class: look }) }, label);
  made.addEventListener('click', act);
  return made;
}

/** Draws a list anew and leaves the focus where it was, or at `otherwise` where that is gone: it must not fall to the top. */
export function redraw(list: HTMLElement, otherwise: HTMLElement, children: readonly Node[]): void {
  const focused = list.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
  list.replaceChildren(...children);
  if (!focused) return;
  const successor = [...list.querySelectorAll<HTMLElement>('[data-key]')].find(({ dataset }) => dataset['key'] === focused.dataset['key']);
  (successor ?? otherwise).focus();
}
