// Where a box stands in the picture: its upper left corner, whatever the zoom.
export function place(node) {
  const [x, y] = node.getAttribute("transform").match(/-?\d+/g).map(Number);
  return { x, y };
}
