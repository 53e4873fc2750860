// Forms with proposals that fill them in, or with a bar at their foot. ES5.
(function () {
  'use strict';
  var on = window.alur.on;

  // The bar at the foot of a long form must not hide the field that Tab has come to.
  var isPressed = false;
  ['mousedown', 'touchstart'].forEach(function (name) { on(name, function () { isPressed = true; }); });
  ['mouseup', 'touchend', 'touchcancel'].forEach(function (name) { on(name, function () { isPressed = false; }); });
  on('focusin', function (event) {
    var bar = document.querySelector('form > .actions');
    if (!bar || isPressed || bar.contains(event.target)) { return; }
    if (event.target.getBoundingClientRect().bottom > bar.getBoundingClientRect().top) { event.target.scrollIntoView({ block: 'center' }); }
  });

  // A proposal that the clerk accepts: data-fill='{"birth_date":"17-08-1990","sex":"P"}'.
  function fill(name, value) {
    [].slice.call(document.getElementsByName(name)).forEach(function (node) {
      if (node.type === 'radio' || node.type === 'checkbox') {
        if (node.value !== value) { return; }
        node.checked = true;
      } else {
        node.value = value;
      }
      ['input', 'change'].forEach(function (type) { node.dispatchEvent(new Event(type, { bubbles: true })); });
    });
  }
  on('click', function (event) {
    var button = window.alur.closest(event.target, '[data-fill]');
    if (!button) { return; }
    var values = JSON.parse(button.getAttribute('data-fill'));
    event.preventDefault();
    Object.keys(values).forEach(function (name) { fill(name, values[name]); });
    // The button is gone with the next answer; the form goes on at its first empty box.
    var empty = [].filter.call(document.querySelectorAll('.main-col input[type=text]'), function (field) {
      return !field.value && field.offsetParent && !(field.name in values);
    })[0];
    if (empty) { empty.focus(); }
  });

  // Who is quicker than the proposals has passed the place where they come: Tab Enter works all the same.
  var passed = false;
  on('focusin', function (event) { passed = event.target.id === 'f-poli' && !document.querySelector('#saran-isi button'); });
  on('htmx:afterSettle', function (event) {
    var room = document.activeElement;
    var first = event.target.id === 'saran-isi' && document.querySelector('#saran-isi button');
    if (first && passed && room.id === 'f-poli' && !room.value) { first.focus(); }
  });

  // What was typed here is kept nowhere before it is sent and found right.
  var form = document.querySelector('form.with-side');
  if (form) {
    var isTyped = !!form.querySelector('.has-error');
    on('input', function () { isTyped = true; }, form);
    on('submit', function () { isTyped = false; }, form);
    on('click', function (event) { isTyped = isTyped && event.target.tagName !== 'A'; }, form.querySelector('.actions'));
    on('beforeunload', function (event) {
      if (isTyped) { event.preventDefault(); event.returnValue = ''; }
    }, window);
  }
})();
