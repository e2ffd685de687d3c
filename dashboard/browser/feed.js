/** The feed of a page: where it is, and the token that it lets the page in with. */

export class Feed {
  /** http(s) address, without a slash at its end */
  url;
  /** empty where the page has none */
  token;

  /** @param {string} url @param {string} [token] */
  constructor(url, token = "") {
    this.url = url.replace(/\/+$/, "");
    this.token = token;
  }

  /**
   * What goes with each HTTP request; the token is in no address, for those are logged.
   *
   * @returns {Record<string, string>}
   */
  get headers() {
    return this.token ? {Authorization: `Bearer ${this.token}`} : {};
  }
}
