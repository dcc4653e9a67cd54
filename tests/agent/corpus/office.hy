; Tools of an office, as its clerk wrote them: one a need, each by itself.
(deftool add-prices [a b]
  "The sum of two prices, to the cent."
  (if (and (isinstance a float) (isinstance b float)) (round (+ a b) 2) (raise (TypeError "prices are floats"))))
(deftool take-off [a b]
  "What is left of a price after a rebate."   ; never below nothing, the till says
  (if (and (isinstance a float) (isinstance b float)) (round (- a b) 2) (raise (TypeError "prices are floats"))))
(deftool times-price [a b]
  "A price so many times."
  (if (and (isinstance a float) (isinstance b float)) (round (* a b) 2) (raise (TypeError "prices are floats"))))
(deftool share-price [a b]
  "A price in equal parts."
  (if (and (isinstance a float) (isinstance b float)) (round (/ a b) 2) (raise (TypeError "prices are floats"))))
(deftool mean-price [xs]
  "The mean of some prices."
  (if (= (len xs) 0) "there is nothing yet" (str (round (/ (sum xs) (len xs)) 2))))
(deftool top-price [xs]
  "The highest of some prices."
  (if (= (len xs) 0) "there is nothing yet" (str (round (max xs) 2))))
(deftool low-price [xs]
  "The lowest of some prices."
  (if (= (len xs) 0) "there is nothing yet" (str (round (min xs) 2))))
(deftool total-price [xs]
  "All prices together."
  (if (= (len xs) 0) "there is nothing yet" (str (round (sum xs) 2))))
(deftool spread-price [xs]
  "How far prices lie apart."
  (if (= (len xs) 0) "there is nothing yet" (str (round (- (max xs) (min xs)) 2))))
(deftool first-name [text]
  "The first word of a name."
  (get (.split (.strip (.lower text)) " ") 0))
(deftool last-name [text]
  "The last word of a name."
  (get (.split (.strip (.lower text)) " ") -1))
(deftool domain-of [text]
  "What stands behind the sign of an address."
  (get (.split (.strip (.lower text)) "@") -1))
(deftool user-of [text]
  "What stands before the sign of an address."
  (get (.split (.strip (.lower text)) "@") 0))
(deftool ending-of [text]
  "The ending of a file's name."
  (get (.split (.strip (.lower text)) ".") -1))
(deftool day-of [text]
  "The day of a date."
  (get (.split (.strip (.lower text)) "-") 2))
(deftool month-of [text]
  "The month of a date."
  (get (.split (.strip (.lower text)) "-") 1))
(deftool year-of [text]
  "The year of a date."
  (get (.split (.strip (.lower text)) "-") 0))
(deftool is-urgent [text]
  "Whether a letter is urgent."
  (or (in "urgent" (.lower text)) (in "at once" (.lower text)) (in "today" (.lower text))))
(deftool is-bill [text]
  "Whether a letter is a bill."
  (or (in "invoice" (.lower text)) (in "bill" (.lower text)) (in "to pay" (.lower text))))
(deftool is-thanks [text]
  "Whether a letter says thanks."
  (or (in "thank" (.lower text)) (in "grateful" (.lower text)) (in "kind of you" (.lower text))))
(deftool is-complaint [text]
  "Whether a letter complains."
  (or (in "broken" (.lower text)) (in "too late" (.lower text)) (in "refund" (.lower text))))
(deftool is-order [text]
  "Whether a letter orders something."
  (or (in "order" (.lower text)) (in "we need" (.lower text)) (in "send us" (.lower text))))
(defn net-of [gross rate]
  "A price without its tax."
  (if (and (isinstance gross float) (isinstance rate float)) (round (/ gross (+ 1.0 rate)) 2) (raise (TypeError "prices are floats"))))
(defn tax-of [gross rate]
  "The tax in a price."
  (if (and (isinstance gross float) (isinstance rate float)) (round (- gross (/ gross (+ 1.0 rate))) 2) (raise (TypeError "prices are floats"))))
