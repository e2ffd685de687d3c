/** What we use of Bokeh's models and of Panel's elements, which ship no types to import here. */

/** Changes stay in the browser: nothing is told to Python. */
export interface Here {
  sync: false;
}

export interface Signal {
  connect(slot: () => void): void;
  disconnect(slot: () => void): void;
}

export interface Model {
  change: Signal;
  setv(values: object, options: Here): void;
}

export interface Range extends Model {
  start: number;
  end: number;
}

export interface Figure extends Model {
  on_event(name: string, listener: (event: { x: number | null }) => void): void;
}

type Column = ArrayLike<any> & any[];

export interface ColumnDataSource extends Model {
  data: Record<string, Column> & { get?: (name: string) => Column | undefined };
  stream(columns: Record<string, unknown[]>, rollover: number, options: Here): void;
  patch(patches: Record<string, [number, unknown][]>, options: Here): void;
}

export interface Property<T> {
  change: Signal;
  get_value(): T;
}

/** Bokeh's document: all that the page's server knows of it. */
export interface Doc {
  on_event(name: string, listener: () => void): void;
}

/** A view, and those it sits inside of. */
export interface View {
  /** The host of its shadow root. */
  el: HTMLElement;
  parent: View | null;
  model?: {
    data?: { properties?: { dark_theme?: Property<boolean> } };
    document?: Doc | null;
  };
  /** Call back when views of such children were made, or found to be there. */
  on_child_render(child: string, callback: () => void): void;
  remove_on_child_render(child: string, callback: () => void): void;
  /** Draw those children that are in their place by now. */
  render_children(): void;
  /** Views inside it that Bokeh lays out. */
  layoutable_views: View[];
  /** Of a figure: where its axes and frame are; missing until it is laid out. */
  layout?: object;
  update_layout(): void;
  measure_layout(): void;
}

/** An element's parameters by name, as its class in Python declares them. */
export interface ElementModel extends Record<string, any> {
  feed_url: string;
  token: string;
  on(event: string, listener: (message: any) => void): void;
  off(event: string, listener: (message: any) => void): void;
  send_msg(message: object): void;
  get_child(name: string): HTMLElement;
}

/** What Panel gives to an element's `render`. */
export interface ElementContext {
  model: ElementModel;
  view: View;
  el: HTMLElement;
}
