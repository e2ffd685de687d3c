/** The stylesheets of what stands outside Panel's elements: `import_map` makes this module of `styles/`. */
export const STYLESHEETS: { readonly [name: string]: string };
