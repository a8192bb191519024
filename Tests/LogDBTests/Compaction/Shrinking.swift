//===--- Shrinking.swift - the shortest list that still fails --------------===//
//
// Leaves parts of a list out, half of it, a quarter, … single elements, for as long as what is left still fails; then makes single elements
// simpler. (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002, without its complements.)
//===-----------------------------------------------------------------------===//

/// Returns a part of `list` of which no element can be left out or made simpler without `fails` becoming false.
func shrunk<Element>(_ list: [Element], simpler: (Element) -> [Element] = { _ in [] }, fails: ([Element]) -> Bool) -> [Element] {
    var list = list
    var length = max(1, list.count / 2)
    while true {
        let before = list.count
        var start = 0
        while start < list.count {
            var shorter = list
            shorter.removeSubrange(start..<min(start + length, list.count))
            if fails(shorter) { list = shorter } else { start += length }
        }
        if length > 1 {
            length /= 2
        } else if list.count == before {
            guard simplify(&list, simpler, fails) else { return list }
        }
    }
}

private func simplify<Element>(_ list: inout [Element], _ simpler: (Element) -> [Element], _ fails: ([Element]) -> Bool) -> Bool {
    var hasChanged = false
    for index in list.indices {
        for candidate in simpler(list[index]) {
            var other = list
            other[index] = candidate
            guard fails(other) else { continue }
            list = other
            hasChanged = true
            break
        }
    }
    return hasChanged
}
