// What the scripts say, in the language of the page: the page brings the translations, English needs none.

const texts = JSON.parse(document.documentElement.dataset.texts || "{}");

// _("and {} more", 3): the values replace the braces in turn.
export function _(text, ...values) {
  return values.reduce((whole, value) => whole.replace("{}", () => value), texts[text] ?? text);
}
