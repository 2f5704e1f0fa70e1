// The requests and events of our own between the extension and `ttvm dap`, beside those of the Debug Adapter Protocol. src/Dap/Protocol/Ttvm*.cs has the
// same types; a test compares the two. Positions and addresses are strings: they have 64 bits, which numbers here have not.

/** "123456" or "123456:2"; where a request takes one, also "50%", "start", "end". */
export type Position = string;
/** "0xffffffff81000000"; guest-physical ones "phys:0x1000" where both can be meant. */
export type Address = string;

// ---- Where the session stands.

/** Answer to ttvm/position, ttvm/seek, ttvm/gotoEvent and ttvm/returnToRecording; body of the event ttvm/moved, which follows each `stopped`. */
export interface TtvmPosition {
    position: Position;
    /** 0 to 100. */
    percent: number;
    end: Position;
    inDiversion: boolean;
    /** The recording is still being made: behind its end the guest lives. */
    isLive: boolean;
    /** Thread (vCPU number + 1) whose turn it is. */
    threadId: number;
    guestNanoseconds: number;
    /** Path of the recording. */
    recording: string;
}

export interface TtvmSeekArguments { position: Position }

/** ttvm/gotoEvent: to the next or the last event of a kind. */
export interface TtvmEventArguments { kind: TimelineKind; reverse?: boolean; threadId?: number }
export type TimelineKind = 'exception' | 'interrupt' | 'systemCall' | 'contextSwitch' | 'schedule' | 'input' | 'consoleLine';

/** ttvm/lastWrite, ttvm/nextWrite. */
export interface TtvmWriteArguments { address: string; bytes?: number }
export interface TtvmFound { found: boolean; position: Position; description: string }

// ---- Calls: ttvm/calls lists those of a function, ttvm/findCall goes to the last or next one and answers with TtvmFound.

export interface TtvmCallsArguments { function: string; from?: Position; to?: Position; condition?: string; abi?: 'auto' | 'sysv' | 'cdecl' | 'regparm'; start?: number; count?: number }
export interface TtvmCalls { calls: TtvmCall[]; isCut: boolean }
export interface TtvmCall {
    position: Position;
    threadId: number;
    addressSpace: string;
    function: string;
    enteredBy: 'call' | 'jump' | 'unknown';
    caller: string;
    arguments: TtvmCallValue[];
    end: 'returned' | 'open' | 'abandoned';
    returnPosition?: Position;
    returnThreadId?: number;
    result?: TtvmCallValue;
    instructions?: number;
}
export interface TtvmCallValue { name: string; type?: string; text: string }
export interface TtvmFindCallArguments { function: string; forward?: boolean; condition?: string; abi?: 'auto' | 'sysv' | 'cdecl' | 'regparm' }

/** ttvm/reverseStepIn, ttvm/reverseStepOut. */
export interface TtvmThreadArguments { threadId: number; granularity?: 'instruction' | 'line' | 'statement' }

/** ttvm/radix: how numbers are shown from now on. */
export interface TtvmRadixArguments { radix: 10 | 16 }

// ---- Bookmarks: ttvm/bookmarks lists them, ttvm/setBookmark and ttvm/removeBookmark change them; all three answer with the list.

export interface TtvmBookmark {
    name: string;
    position: Position;
    note?: string;
    /** The state there is kept in memory while the session lasts: coming back replays nothing. */
    isCheckpoint?: boolean;
}
/** Without a position: here. An existing name is replaced. A checkpoint, which keeps the state too, can only be made here. */
export interface TtvmSetBookmarkArguments { name: string; position?: Position; note?: string; isCheckpoint?: boolean }
export interface TtvmRemoveBookmarkArguments { name: string }
export interface TtvmBookmarks { bookmarks: TtvmBookmark[] }

// ---- Breakpoints that are kept with the recording: ttvm/savedBreakpoints lists them, ttvm/saveBreakpoints keeps those that are set now in their place; both answer with the list.

export interface TtvmSavedBreakpoint {
    kind: 'source' | 'function' | 'instruction' | 'data';
    path?: string;
    line?: number;
    name?: string;
    address?: string;
    /** ADDRESS:SIZE. */
    dataId?: string;
    accessType?: 'read' | 'write' | 'readWrite';
    condition?: string;
    hitCondition?: string;
    logMessage?: string;
}
export interface TtvmSavedBreakpoints { breakpoints: TtvmSavedBreakpoint[] }

// ---- ttvm/timeline: what happened between two positions, in buckets of equal instruction counts. What is not known yet is filled in by and by: the event
// ttvm/timelineChanged (no body) says when to ask again.

export interface TtvmTimelineArguments { from?: Position; to?: Position; bucketCount?: number }
export interface TtvmTimeline {
    start: Position;
    end: Position;
    /** The window that is described, as instruction counts. */
    from: number;
    to: number;
    /** Guest time at the window's ends. */
    fromNanoseconds: number;
    toNanoseconds: number;
    cpuCount: number;
    buckets: TtvmTimelineBucket[];
    markers: TtvmTimelineMarker[];
    /** All buckets are known. */
    isComplete: boolean;
}
export interface TtvmTimelineBucket {
    isKnown: boolean;
    /** Instructions retired by each vCPU. */
    instructions: number[];
    exceptions: number;
    interrupts: number;
    systemCalls: number;
    contextSwitches: number;
}
/** Things with a name: console lines, inputs, bookmarks; and, when few enough are in the window, single events. */
export interface TtvmTimelineMarker { kind: TimelineKind | 'bookmark'; position: Position; count: number; text: string; threadId?: number }

// ---- ttvm/translatedCode: what the translator makes of the block that a vCPU executes next.

export interface TtvmTranslatedCode {
    position: Position;
    threadId: number;
    /** Why there is none. */
    reason?: string;
    hostBytes: number;
    lines: TtvmTranslatedLine[];
}
export interface TtvmTranslatedLine {
    /** Of the guest instruction whose code begins here. */
    address?: string;
    guest?: string;
    isByHandler: boolean;
    /** From the start of the host code. */
    offset?: number;
    host?: string;
    /** It hardly ever runs. */
    isBehind: boolean;
}

// ---- ttvm/origin: how a value came to be. One of memoryReference, register and evaluateName.

export interface TtvmOriginArguments {
    memoryReference?: string;
    /** Bytes of memory, 1 to 16; default: 8, or what the expression has. */
    count?: number;
    register?: string;
    evaluateName?: string;
    /** Whose registers and address space; default: the vCPU that the client looks at. */
    threadId?: number;
    /** Steps along one way. */
    depth?: number;
    /** Values in all. */
    nodes?: number;
    /** Follow what addresses were made of too. */
    addresses?: boolean;
}
export interface TtvmOrigin {
    position: Position;
    /** By their ids, from 0: the value that was asked for. */
    nodes: TtvmOriginNode[];
    /** Ids from the value that was asked for along the main inputs. */
    chain: number[];
}
export type OriginKind = 'notFollowed' | 'copy' | 'computed' | 'constant' | 'parts' | 'input' | 'disk' | 'dma' | 'port' | 'mmio' | 'processor' | 'hardware' | 'image' | 'powerOn' | 'unexplained';
export interface TtvmOriginNode {
    id: number;
    /** "eax", "4 bytes at phys:0x1000". */
    location: string;
    value: string;
    kind: OriginKind;
    text: string;
    /** Where the value is there. */
    before: Position;
    /** Just before what put it there; absent: nothing did. */
    position?: Position;
    threadId?: number;
    instructionAddress?: Address;
    instruction?: string;
    symbol?: string;
    source?: { name?: string; path?: string };
    line?: number;
    /** Number of the recorded input that it is. */
    input?: number;
    inputs: TtvmOriginInput[];
}
export interface TtvmOriginInput { id: number; role: 'value' | 'operand' | 'flags' | 'address' | 'part'; /** The chain goes on with it. */ isMain: boolean }

// ---- Page tables.

/** ttvm/pageTable: the entries of one table. No path: the root's. */
export interface TtvmPageTableArguments {
    threadId?: number;
    /** Of an entry that was answered before. */
    path?: string;
    /** Only pages that have all of these, and tables that have such a page below. Rights count as all levels together grant them. */
    filters?: PageFilter[];
    /** Mark what differs from this position. */
    comparedTo?: Position;
    /** Also entries that are not present and not empty, without bits; only without filters and comparison. */
    includeAbsent?: boolean;
}
export type PageFilter = 'writable' | 'user' | 'executable' | 'global' | 'dirty' | 'accessed';
export interface TtvmPageTable {
    /** "4-level paging", "PAE paging", "32-bit paging", "no paging". */
    mode: string;
    /** Physical address of the root table. */
    root: Address;
    entries: TtvmPageTableEntry[];
}
export interface TtvmPageTableEntry {
    /** For ttvm/pageTable, to see below; absent for a page. */
    path?: string;
    /** "PML4", "PDPT", "PD", "PT". */
    level: string;
    index: number;
    linear: Address;
    /** Inclusive. */
    linearEnd: Address;
    /** Where the entry itself lies, physical. */
    entryAddress: Address;
    /** Its bits. */
    value: Address;
    /** Physical base of the page or table. */
    physical: Address;
    /** "4 KiB", "2 MiB", "1 GiB" of a page; of a table what it covers. */
    size: string;
    isPage: boolean;
    /** Names of the bits that are set, such as P, W, U, A, D, G, PS, XD. */
    bits: string[];
    shadow?: TtvmShadowEntry;
    /** With comparedTo: what it is as against then; of a table 'changed' also when only something below it is. */
    change?: 'added' | 'removed' | 'changed';
    /** With comparedTo: the entry's value then, where it was present and differs in any way. */
    was?: Address;
}
/** What the shadow page table, by which the machine translates, holds for an entry of the guest's. */
export interface TtvmShadowEntry {
    state: 'in step' | 'stale' | 'not filled' | 'write-protected' | 'partly filled';
    /** "0x1fe000": offset of the machine page in the memory that the VMM gives the guest; of a table nothing. */
    machine?: Address;
    /** In a sentence. */
    why: string;
}

/** ttvm/translate: each step of the walk for one linear address. */
export interface TtvmTranslateArguments { address: string; threadId?: number }
export interface TtvmTranslation {
    linear: Address;
    mode: string;
    steps: TtvmWalkStep[];
    /** Absent when not mapped. */
    physical?: Address;
    pageSize?: string;
    /** "user rw-". */
    access?: string;
    /** Why an access faults, with the error code; absent when a supervisor read does not. */
    fault?: string;
    /** Each kind of access: supervisor and user, read, write and fetch. */
    accesses: TtvmAccessCheck[];
    shadow?: TtvmShadowEntry;
}
export interface TtvmAccessCheck {
    /** "supervisor read", "user write" ... */
    access: string;
    faults: boolean;
    /** Of the page fault. */
    errorCode?: Address;
    /** In a sentence. */
    why: string;
}
export interface TtvmWalkStep { level: string; index: number; entryAddress: Address; value: Address; bits: TtvmBit[]; explanation: string }
export interface TtvmBit { name: string; isSet: boolean; meaning: string }

/** ttvm/ranges: neighbours that map in the same way, merged. */
export interface TtvmRangesArguments { threadId?: number; filters?: PageFilter[]; start?: number; count?: number }
export interface TtvmRanges { total: number; ranges: TtvmRange[] }
export interface TtvmRange { linear: Address; linearEnd: Address; physical: Address; size: string; access: string; pageSize: string }

/** ttvm/tableChanges: what changed in the page tables between two positions. */
export interface TtvmTableChangesArguments { threadId?: number; from: Position; to?: Position }
export interface TtvmTableChanges { from: Position; to: Position; changes: TtvmTableChange[]; isCut: boolean }
export interface TtvmTableChange { linear: Address; linearEnd: Address; level: string; before: string; after: string }

// ---- Locks, by layouts that are declared or built in. Their past is worked out in the background from the first question on: the event ttvm/locksChanged (no body)
// says when to ask again.

/** Answer to ttvm/locks: those that are declared or in use. */
export interface TtvmLocks {
    locks: TtvmLock[];
    /** Without it, who holds a spin lock, and since when, is not said. */
    past: 'known' | 'learning' | 'unknown';
    /** Why it is unknown. */
    pastProblem?: string;
    /** What is declared and does not agree with the guest, a sentence each. */
    layoutProblems: string[];
    /** What is missing, when there are none. */
    problem?: string;
    /** There are none yet, as it is being found out what the guest's locks are: ttvm/locksChanged comes when they are known. */
    isBeingFound?: boolean;
}
export interface TtvmLock {
    name: string;
    /** "MCS", "spin", "qspinlock", "mutex". */
    kind: string;
    address: Address;
    state: 'free' | 'held' | 'contended' | 'corrupt';
    /** Who holds it and who waits, in the order of the queue. */
    queue: TtvmLockWaiter[];
    /** What its words say: "tail 0x81002000". */
    words?: string;
    problem?: string;
}
export interface TtvmLockWaiter {
    order: number;
    role: 'owner' | 'waiter';
    /** vCPU, when known. */
    threadId?: number;
    /** The queue node, its link to the one behind it ("0x0": none), and its flag. */
    node?: Address;
    next?: Address;
    mustWait?: boolean;
    task?: Address;
    /** Since when it holds or waits. */
    since?: Position;
    /** Where it asked for the lock. */
    from?: TtvmCodePlace;
    /** One of several readers. */
    isShared?: boolean;
    description: string;
}
export interface TtvmCodePlace { text: string; source?: { name?: string; path?: string; sourceReference?: number }; line?: number }

/** ttvm/lockHistory: totals of all locks, those that were waited for most first; or of one, with its uses in a window. */
export interface TtvmLockHistoryArguments { lock?: string; from?: Position; to?: Position; start?: number; count?: number; bucketCount?: number }
export interface TtvmLockHistory {
    /** Everything before this position is known. */
    known: Position;
    isComplete: boolean;
    /** Why it never will be. */
    problem?: string;
    lockCount: number;
    locks: TtvmLockTotals[];
    /** In the window. */
    useCount: number;
    uses: TtvmLockUse[];
    buckets: TtvmLockBucket[];
}
/** Lengths are instructions on all vCPUs. */
export interface TtvmLockTotals {
    name: string;
    address: Address;
    type: string;
    taken: number;
    /** How often somebody else had it when it was wanted. */
    contended: number;
    failed: number;
    handOffs: number;
    waited: number;
    held: number;
    longestWait: number;
    longestWaitAt?: Position;
    longestHeld: number;
    longestHeldAt?: Position;
    maximumWaiters: number;
    maximumWaitersAt?: Position;
    /** There were more uses than are kept: late ones are only counted. */
    isCut: boolean;
}
export interface TtvmLockUse {
    lock: string;
    wanted: Position;
    /** Absent: it waits, or did not get it. */
    taken?: Position;
    /** Absent: it still has it, or never had. */
    released?: Position;
    waitInstructions: number;
    heldInstructions: number;
    threadId: number;
    task?: string;
    function: string;
    from?: TtvmCodePlace;
    isContended: boolean;
    isFailed: boolean;
    isShared: boolean;
    /** How many other locks its user had when it took it. */
    nesting: number;
}
/** held: for how many instructions each vCPU had it. waiters, nesting: the most. */
export interface TtvmLockBucket { isKnown: boolean; held: number[]; waiters: number; nesting: number }

/** Answer to ttvm/lockFindings: what was wrong with locks, each at its first moment. */
export interface TtvmLockFindings { findings: TtvmLockFinding[]; isComplete: boolean; problem?: string }
export interface TtvmLockFinding {
    kind: 'twoHolders' | 'releasedByOther' | 'releasedWhileFree' | 'takenTwice' | 'deadlock' | 'orderInversion' | 'interruptsOn' | 'lostWakeUp' | 'heldAtFailure'
        | 'classInversion';
    position: Position;
    threadId: number;
    text: string;
    uses: TtvmLockUse[];
}

/** Answer to ttvm/lockClasses, which waits for all of the past: classes of locks that were taken in both orders, though no two locks were. */
export interface TtvmLockClasses {
    findings: TtvmLockFinding[];
    /** Pairs of locks nested in their own class, as parent and child are: their order is not looked at. */
    nestedInOwnClass: number;
}

/** ttvm/lockSeek: to where somebody begins to wait for a lock, has taken it, or gives it back; answers with TtvmFound. Absent: the next. */
export interface TtvmLockSeekArguments { lock: string; event: 'wait' | 'acquire' | 'release'; reverse?: boolean }

/** ttvm/swaps: every compare-and-swap, exchange, locked update and store of a word, found by replaying. */
export interface TtvmSwapsArguments {
    /** A lock by its name, a symbol, "symbol+0x10" or an address. */
    word: string;
    /** 1 to 16; by default what its symbol takes, if that is a word, else 8. */
    sizeBytes?: number;
    from?: Position;
    to?: Position;
    /** At most so many, the first ones; 100 by default. */
    count?: number;
}
export interface TtvmSwaps {
    address: Address;
    sizeBytes: number;
    swaps: TtvmSwap[];
    /** There are more: from the last one's position on. */
    isCut: boolean;
}
/** Values are in hexadecimal. */
export interface TtvmSwap {
    /** Before the instruction. */
    position: Position;
    /** Absent: a chip. */
    threadId?: number;
    task?: string;
    code?: TtvmCodePlace;
    kind: 'compareExchange' | 'exchange' | 'exchangeAdd' | 'update' | 'store';
    /** "lock cmpxchg". */
    instruction: string;
    /** Only of a compare-and-swap. */
    expected?: string;
    old: string;
    /** Of a compare-and-swap that lost, what it would have become. */
    new: string;
    hasWon: boolean;
    /** How many attempts of the same call failed directly before. */
    retry: number;
    /** When the value that it expects was read from the word. */
    readAt?: Position;
    /** It won although the word was changed, and changed back, since then. */
    isDeceived: boolean;
    /** What is remarkable, in a sentence. */
    remark?: string;
}

// ---- Read-copy-update and channels, by layouts that are declared; Linux's tree RCU is built in. Their past is learnt as that of locks, with the same event.

/** Answer to ttvm/rcu: where the session stands. */
export interface TtvmRcu {
    /** "declared", "Linux tree RCU"; absent: nothing is known of it. */
    kind?: string;
    gracePeriod?: TtvmRcuGracePeriod;
    /** Who is inside a critical section. */
    readers: TtvmRcuReader[];
    /** What waits for the end of a grace period. */
    callbacks: TtvmRcuCallbacks[];
    /** Pointers through which readers come. */
    published: TtvmRcuPointer[];
    /** What else there is, a sentence each: of Linux expedited grace periods, memory that is collected to be freed, sleepable RCU that is in use. */
    others: string[];
    /** What is not known, a sentence each. */
    problems: string[];
    /** Without it, since when a reader is inside, and which version was there before, is not said. */
    past: 'known' | 'learning' | 'unknown';
    /** Why nothing is known of it. */
    problem?: string;
    /** Nothing is known yet, as it is being looked for: ttvm/locksChanged comes when it is known. */
    isBeingFound?: boolean;
}
export interface TtvmRcuGracePeriod {
    /** The one in progress, or the last. */
    current?: number;
    /** The last that has ended. */
    completed?: number;
    isInProgress: boolean;
    /** The same in words. */
    state: string;
    /** Whom it waits for, in words. */
    waitsFor: string[];
}
export interface TtvmRcuReader {
    /** Absent: it has lost its vCPU. */
    threadId?: number;
    task?: Address;
    /** The grace period in which it began. */
    period?: number;
    isWaitedFor: boolean;
    /** Absent: it is not known yet; ttvm/rcuReaders looks for it. */
    since?: Position;
    from?: TtvmCodePlace;
    description: string;
}
/** Answer to ttvm/rcuReaders, which searches backwards from where the session stands: the same readers as of TtvmRcu, with since when and from where each reads. */
export interface TtvmRcuReaders {
    position: Position;
    readers: TtvmRcuReader[];
    /** Why it is not found since when. */
    problem?: string;
}
/** Of a vCPU, or of all. */
export interface TtvmRcuCallbacks { threadId?: number; count?: number; segments: TtvmRcuSegment[]; first: TtvmRcuCallback[] }
export interface TtvmRcuSegment { name: string; count: number; /** The grace period that they wait for. */ period?: number }
export interface TtvmRcuCallback { address: Address; /** What is called, or done. */ function?: string; segment?: string }
export interface TtvmRcuPointer {
    name: string;
    address: Address;
    /** What it points to. */
    value?: Address;
    /** The same by its symbol. */
    text?: string;
    /** When it was written last. */
    written?: Position;
    /** The version before, by its symbol. */
    old?: string;
}
/** Answer to ttvm/rcuFindings: what was freed while a reader could still have it. */
export interface TtvmRcuFindings { findings: TtvmRcuFinding[]; isComplete: boolean; problem?: string }
export interface TtvmRcuFinding { position: Position; threadId: number; text: string; unlinked: Position; readers: TtvmRcuSection[] }
export interface TtvmRcuSection { threadId: number; begin: Position; end?: Position; from?: TtvmCodePlace }
/** ttvm/rcuSeek: answers with TtvmFound. pointer: only of this one; threadId: only by this vCPU. */
export interface TtvmRcuSeekArguments { event: RcuMoment; pointer?: string; threadId?: number; reverse?: boolean }
export type RcuMoment = 'publication' | 'readerEnters' | 'readerLeaves' | 'deferral' | 'release' | 'gracePeriodBegins' | 'gracePeriodEnds';

/** Answer to ttvm/channels: where the session stands. */
export interface TtvmChannels { channels: TtvmChannel[]; problems: string[]; past: 'known' | 'learning' | 'unknown'; problem?: string; /** As of TtvmRcu. */ isBeingFound?: boolean }
/** What is absent is not declared, or not in memory. */
export interface TtvmChannel {
    name: string;
    address: Address;
    state: 'empty' | 'in flight' | 'full' | 'corrupt';
    senderThreadId?: number;
    receiverThreadId?: number;
    /** Numbers of the last message that was sent and read; and read as the sender knows it. */
    sent?: number;
    received?: number;
    acknowledged?: number;
    /** How many may be sent now. */
    credits?: number;
    /** How often the sender found no room, and the receiver no message. */
    fullStalls?: number;
    emptyStalls?: number;
    /** The ring. */
    slots: TtvmChannelSlot[];
    problem?: string;
}
export interface TtvmChannelSlot {
    index: number;
    address: Address;
    /** Number of the message in it; 0: there was none yet. */
    sequence: number;
    /** It is published, and not read yet. */
    isInFlight: boolean;
    /** Words of eight bytes, hexadecimal. */
    contents: string;
    published?: Position;
    received?: Position;
}
/** Answer to ttvm/channelFindings. */
export interface TtvmChannelFindings { findings: TtvmChannelFinding[]; isComplete: boolean; problem?: string }
export interface TtvmChannelFinding {
    kind: 'publishedBeforePayload' | 'overwritten';
    position: Position;
    threadId: number;
    channel: string;
    number: number;
    text: string;
    latePayload?: Position;
    received?: Position;
}
/** ttvm/channelSeek: answers with TtvmFound. channel, number: only in this one, only of this message. */
export interface TtvmChannelSeekArguments { event: ChannelMoment; channel?: string; number?: number; reverse?: boolean }
export type ChannelMoment = 'publication' | 'receipt' | 'fullStall' | 'emptyStall';

// ---- ttvm/devices: also behind the scope Devices.

export interface TtvmDevices { devices: TtvmDevice[] }
export interface TtvmDevice { name: string; summary: string; fields: TtvmField[] }
export interface TtvmField { name: string; value: string; fields?: TtvmField[] }

// ---- ttvm/console: what the guest has printed up to now.

export interface TtvmConsoleArguments { /** "serial0" (default), "serial1", "debug", "virtio". */ channel?: string; /** At most so many of the last lines. */ count?: number }
export interface TtvmConsole {
    channels: string[];
    lines: TtvmConsoleLine[];
    /** More lines came before. */
    isCut: boolean;
    screen: TtvmScreen;
    /** ttvm/type reaches the guest. */
    canType: boolean;
}
export interface TtvmConsoleLine { position: Position; text: string }
/** The VGA text screen. */
export interface TtvmScreen { columns: number; lines: string[]; cursorRow: number; cursorColumn: number }
/** ttvm/type: bytes for the first serial port of a live guest. */
export interface TtvmTypeArguments { text: string }

// ---- launch and attach.

export interface TtvmLaunchArguments {
    /** A kernel or a disk, which is recorded while it is debugged; or a recording, which is replayed. */
    program: string;
    stopOnEntry?: boolean;
    at?: Position;
    /** Where a live session records to; default: the program's name with .ttvm. */
    recording?: string;
    cpus?: number;
    memory?: string;
    append?: string;
    initrd?: string;
    disks?: string[];
    diskInterface?: 'ata' | 'virtio';
    bios?: string;
    clock?: 'virtual' | 'host';
    chaos?: number;
    /** ELF files with symbols and lines; the recording's own kernel needs not be named. */
    symbols?: string | string[];
    /** Where sources are: what their paths begin with, and what that is here. */
    sourceMap?: { [from: string]: string };
    /** Files that declare layouts of locks. */
    layouts?: string[];
    /** Files that declare printers: how values of a type are shown. Those beside the recording and in the current folder need not be named. */
    printers?: string[];
    /** Calls of functions in expressions are run, in a diversion; else only by the console's command `call`. */
    allowCalls?: boolean;
    /** Steps stay on their vCPU, whatever it runs; else in their task, which other vCPUs may go on with. */
    stepFollowsVcpu?: boolean;
    /** What steps go by whose request names no granularity, or `statement`: lines (default), or the statements within them. */
    steppingGranularity?: "line" | "statement";
}
/** attach: to `ttvm record --dap`. The connection itself is the extension's affair: a port of the loopback interface, or a pipe. */
export interface TtvmAttachArguments { port?: number; pipe?: string; symbols?: string | string[]; sourceMap?: { [from: string]: string }; layouts?: string[]; stopOnEntry?: boolean; printers?: string[]; allowCalls?: boolean; stepFollowsVcpu?: boolean; steppingGranularity?: "line" | "statement" }
