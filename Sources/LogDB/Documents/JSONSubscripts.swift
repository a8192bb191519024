//===--- JSONSubscripts.swift - reading and changing what lies inside ------===//
//
// Reading never fails: what is absent, or is inside something that has no members or elements, is null.
//
// Writing makes the path it names. A null on the way becomes an object (or an array); a value of another kind is
// replaced by one, because a document from disk may have any shape and must not be able to stop a program.
// Changes are made in place: the payload is taken out of the enum while it is changed, so nothing is copied.
//===-----------------------------------------------------------------------===//

extension JSON {
    /// The member `name`; `.null` if there is none.
    ///
    /// Setting makes an object of whatever was here before, unless it is one. Setting `.null` (or nil) stores a null; to
    /// remove a member call ``removeMember(_:)``.
    public subscript(name: String) -> JSON {
        get {
            guard case .object(let object) = self else { return .null }
            return object[name] ?? .null
        }
        set {
            var object = takeObject()
            object[name] = .some(newValue)
            self = .object(object)
        }
        _modify {
            let before: JSON? = object == nil ? self : nil
            var object = takeObject()
            // What was not an object, and got no member, stays what it was.
            defer { self = object.isEmpty ? before ?? .object(object) : .object(object) }
            yield &object[orNull: name]
        }
    }

    /// The element at `index`; `.null` if there is none.
    ///
    /// Setting replaces an element, or appends one if `index` is the count. Setting makes an empty array of whatever was
    /// here before, unless it is one. An index beyond the count, or below 0, is a mistake of the caller and traps.
    public subscript(index: Int) -> JSON {
        get {
            guard case .array(let array) = self, array.indices.contains(index) else { return .null }
            return array[index]
        }
        _modify {
            var array = takeArray()
            defer { self = .array(array) }
            precondition(index >= 0 && index <= array.count, "a JSON array grows by one element at a time")
            if index == array.count { array.append(.null) }
            yield &array[index]
        }
    }

    /// Removes the member `name` and returns its value; nil if there was none.
    @discardableResult
    public mutating func removeMember(_ name: String) -> JSON? {
        guard case .object(var object) = self, let value = object[name] else { return nil }
        self = .null
        object[name] = nil
        self = .object(object)
        return value
    }

    /// Appends an element to an array. Anything else becomes an array first.
    public mutating func append(_ element: JSON) {
        var array = takeArray()
        array.append(element)
        self = .array(array)
    }

    /// Moves the members out, leaving null, so that they have one owner and can be changed in place.
    private mutating func takeObject() -> JSONObject {
        guard case .object(let object) = self else {
            self = .null
            return JSONObject()
        }
        self = .null
        return object
    }

    private mutating func takeArray() -> [JSON] {
        guard case .array(let array) = self else {
            self = .null
            return []
        }
        self = .null
        return array
    }
}
