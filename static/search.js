// Searches whose answers are ticked. ES5.
(function () {
  'use strict';
  var on = window.alur.on;
  var all = window.alur.all;

  // What is ticked while a search is on its way stays: the answer knows nothing of it.
  var ticks = [];
  // Of two boxes with one value the ticked one is looked at last, so it counts.
  on('htmx:beforeSwap', function () {
    ticks = all('[id$=-options] input:not(:checked)').concat(all('[id$=-options] input:checked'));
  });
  on('htmx:afterSwap', function () {
    ticks.forEach(function (old) {
      var list = document.getElementById(old.name + '-options');
      if (!list) { return; }
      var same = all('input', list).filter(function (node) { return node.value === old.value; })[0];
      if (same) { same.checked = old.checked; }
      if (!same && old.checked) { list.insertBefore(old.parentNode, window.alur.closest(all('input:not(:checked)', list)[0], 'label')); }
    });
  });
})();
