(deftool fetch-page [#^ str url #^ dict [headers None]]
  "Fetch a page."
  :effects [network files] :timeout 10 :unsafe True
  (+ url (str (or headers {}))))
