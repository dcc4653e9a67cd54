; A librarian's forms, by another hand and not known to the office.
(deftool pages-read [xs]
  "How many pages were read, in the mean of the days."
  (if (= (len xs) 0) "there is nothing yet" (str (round (/ (sum xs) (len xs)) 2))))
(deftool longest-book [xs]
  "The longest."
  (if (= (len xs) 0) "there is nothing yet" (str (round (max xs) 2))))
(deftool shortest-book [xs]
  "The shortest."
  (if (= (len xs) 0) "there is nothing yet" (str (round (min xs) 2))))
(deftool fines [xs]
  "All fines together."
  (if (= (len xs) 0) "there is nothing yet" (str (round (sum xs) 2))))
(deftool author-of [text]
  "Who wrote it."
  (get (.split (.strip (.lower text)) ":") 0))
(deftool title-of [text]
  "What it is called."
  (get (.split (.strip (.lower text)) ":") 1))
(deftool shelf-of [text]
  "Where it stands."
  (get (.split (.strip (.lower text)) "/") 0))
(deftool place-of [text]
  "Where on the shelf it stands."
  (get (.split (.strip (.lower text)) "/") 1))
(deftool series-of [text]
  "Which series it belongs to."
  (get (.split (.strip (.lower text)) "#") 0))
(deftool volume-of [text]
  "Which volume it is."
  (get (.split (.strip (.lower text)) "#") -1))
(deftool is-poetry [text]
  "Whether it is poetry."
  (or (in "poem" (.lower text)) (in "verse" (.lower text)) (in "ode" (.lower text))))
(deftool is-travel [text]
  "Whether it is about travel."
  (or (in "journey" (.lower text)) (in "voyage" (.lower text)) (in "road" (.lower text))))
(deftool is-science [text]
  "Whether it is about science."
  (or (in "theory" (.lower text)) (in "physics" (.lower text)) (in "cells" (.lower text))))
(deftool is-children [text]
  "Whether it is for children."
  (or (in "child" (.lower text)) (in "bear" (.lower text)) (in "school" (.lower text))))
(deftool late-fee [days rate]
  "What is to be paid."
  (if (and (isinstance days float) (isinstance rate float)) (round (* days rate) 2) (raise (TypeError "fees are floats"))))
(deftool left-to-pay [fee paid]
  "What is left of a fee."
  (if (and (isinstance fee float) (isinstance paid float)) (round (- fee paid) 2) (raise (TypeError "fees are floats"))))
(deftool both-fees [fee other]
  "Two fees."
  (if (and (isinstance fee float) (isinstance other float)) (round (+ fee other) 2) (raise (TypeError "fees are floats"))))
(deftool half-fee [fee parts]
  "A fee in parts."
  (if (and (isinstance fee float) (isinstance parts float)) (round (/ fee parts) 2) (raise (TypeError "fees are floats"))))
(defagent porter
  "Says what a letter is about."
  (cond (in "where" (.lower message)) "It stands on the first shelf."
        (in "when" (.lower message)) "We open at nine."
        True "Ask the librarian."))
(defagent desk
  "Answers about books."
  (if (or (in "poem" (.lower message)) (in "verse" (.lower message)) (in "ode" (.lower message)))
      "Poetry is upstairs."
      (get (.split (.strip (.lower message)) " ") 0)))
