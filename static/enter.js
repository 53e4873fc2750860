// Enter in a field. ES5.
(function () {
  'use strict';
  var on = window.alur.on;

  // A scanner ends with Enter: go on to the next field, do not send the form.
  on('keydown', function (event) {
    var field = event.target;
    if (event.keyCode !== 13 || !field.form || !field.hasAttribute('data-enter-next')) { return; }
    event.preventDefault();
    var fields = [].slice.call(field.form.elements).filter(function (node) {
      return node === field || (/^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName) && node.type !== 'hidden' &&
        node.type !== 'submit' && !node.disabled && node.getClientRects().length);
    });
    var next = fields[fields.indexOf(field) + 1];
    if (next) { next.focus(); }
  });
})();
