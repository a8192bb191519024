//===--- SalvageFile.swift - a file of the damaged database -----------------===//
//
// What a file is says its header, where that is sound; its name only where it is not. So a file that was renamed or copied is still read as what it
// is, and one whose first bytes are gone is read as what it is called.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class SalvageFile {
    enum Form: Equatable {
        case raw
        /// In log order.
        case sealed(Container)
        /// In key order.
        case base(Container)
        /// In version order.
        case history(Container)
    }

    let name: String
    let size: UInt64
    let form: Form
    /// Of the segment: as the header says, or the name.
    let number: UInt64
    /// The header, where it is sound.
    let rawHeader: RawSegmentHeader?
    let sealedHeader: SegmentHeader?
    /// Why the header is not sound.
    let headerFault: LogDBError?
    /// What the ring has of it beyond what the file has, and from where on.
    var continuation: (start: UInt64, bytes: [UInt8])?
    private let directory: any Directory
    private let refusedSectors = Monitor<Set<UInt64>>([])

    var header: FileHeader? { rawHeader?.file ?? sealedHeader?.file }
    var container: Container? { form.container }
    /// Whether it is called what it is.
    var isNamedRight: Bool { FileNames(name)?.salvageForm.map { $0 == (form, number) } ?? false }
    /// What is to be said of a header that is not sound.
    var headerFinding: SalvageFinding? {
        headerFault.map { SalvageFinding(.harmless, file: name, "its header is damaged: \($0.message)") }
    }
    /// Sectors that the disk could not read.
    var refused: [UInt64] { refusedSectors.withLock { $0.sorted() } }

    private init(
        name: String, size: UInt64, form: Form, number: UInt64, raw: RawSegmentHeader? = nil, sealed: SegmentHeader? = nil,
        fault: LogDBError? = nil, in directory: any Directory
    ) {
        self.name = name
        self.size = size
        self.form = form
        self.number = number
        rawHeader = raw
        sealedHeader = sealed
        headerFault = fault
        self.directory = directory
    }

    /// The file's beginning is enough to tell what it is. nil if it is no segment: neither by its header nor by its name.
    static func identify(_ name: String, in directory: any Directory) throws(LogDBError) -> SalvageFile? {
        let size: UInt64
        let start: [UInt8]
        do throws(FileError) {
            let file = try directory.open(name, for: .reading)
            size = try file.size()
            start = try ForgivingFile(file, size: size, refused: Monitor([])).read(at: 0, count: FileHeader.maximumLength)
        } catch {
            // Folders and sockets are somebody else's.
            if error.code == .isADirectory || error.code == .other { return nil }
            throw LogDBError(error)
        }
        if (try? FileHeader.decode(start.span, expecting: .manifest)) != nil { return nil }
        var fault: LogDBError?
        let named = FileNames(name)
        // The form that the name speaks of last: its complaint is the one worth telling.
        var forms: [Form] = [.raw, .sealed(.lz4), .sealed(.gzip)]
        if let named = named?.salvageForm.map(\.0.asSealed) { forms = forms.filter { $0 != named } + [named] }
        for form in forms {
            do throws(FormatError) {
                switch form {
                case .raw:
                    let header = try RawSegmentHeader(decoding: start.span)
                    return SalvageFile(name: name, size: size, form: .raw, number: header.file.number, raw: header, in: directory)
                case .sealed(let container), .base(let container), .history(let container):
                    let header = try SegmentHeader(decoding: start.span, in: container)
                    let form: Form =
                        switch header.order {
                        case .log: .sealed(container)
                        case .key: .base(container)
                        case .version: .history(container)
                        }
                    return SalvageFile(
                        name: name, size: size, form: form, number: header.file.number, sealed: header, in: directory)
                }
            } catch { fault = LogDBError(error, in: name) }
        }
        guard let (form, number) = named?.salvageForm else { return nil }
        return SalvageFile(name: name, size: size, form: form, number: number, fault: fault, in: directory)
    }

    /// Opens the file for reading, with its continuation; sectors that cannot be read are zeros.
    func open() throws(LogDBError) -> any File {
        do throws(FileError) {
            let file = ForgivingFile(try directory.open(name, for: .reading), size: size, refused: refusedSectors)
            return continuation.map { ContinuedFile(file, at: $0.start, with: $0.bytes) } ?? file
        } catch { throw LogDBError(error) }
    }
}

extension SalvageFile.Form {
    /// The form as far as a header's envelope tells it.
    fileprivate var asSealed: Self { container.map { .sealed($0) } ?? self }

    fileprivate var container: Container? {
        switch self {
        case .raw: nil
        case .sealed(let container), .base(let container), .history(let container): container
        }
    }
}

extension FileNames {
    /// What a segment of this name is; nil for what is none.
    fileprivate var salvageForm: (SalvageFile.Form, UInt64)? {
        switch self {
        case .raw(let number): (.raw, number)
        case .sealed(let number, let container): (.sealed(container), number)
        case .base(let number, let container): (.base(container), number)
        case .history(let number, let container): (.history(container), number)
        case .manifest, .temporaryManifest, .run: nil
        }
    }
}
