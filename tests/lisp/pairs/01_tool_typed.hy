(deftool add [#^ int a #^ int b] "Add two numbers." (+ a b))
