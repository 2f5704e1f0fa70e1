using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>How the types of our own requests are read and written.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TtvmLaunchArguments))]
[JsonSerializable(typeof(TtvmNoArguments))]
[JsonSerializable(typeof(TtvmSeekArguments))]
[JsonSerializable(typeof(TtvmWriteArguments))]
[JsonSerializable(typeof(TtvmThreadArguments))]
[JsonSerializable(typeof(TtvmPosition))]
[JsonSerializable(typeof(TtvmFound))]
[JsonSerializable(typeof(TtvmAttachArguments))]
[JsonSerializable(typeof(TtvmTypeArguments))]
[JsonSerializable(typeof(TtvmPageTableArguments))]
[JsonSerializable(typeof(TtvmPageTable))]
[JsonSerializable(typeof(TtvmTranslateArguments))]
[JsonSerializable(typeof(TtvmTranslation))]
[JsonSerializable(typeof(TtvmRangesArguments))]
[JsonSerializable(typeof(TtvmRanges))]
[JsonSerializable(typeof(TtvmTableChangesArguments))]
[JsonSerializable(typeof(TtvmTableChanges))]
[JsonSerializable(typeof(TtvmLocks))]
[JsonSerializable(typeof(TtvmDevices))]
[JsonSerializable(typeof(TtvmConsoleArguments))]
[JsonSerializable(typeof(TtvmConsole))]
[JsonSerializable(typeof(TtvmEventArguments))]
[JsonSerializable(typeof(TtvmSetBookmarkArguments))]
[JsonSerializable(typeof(TtvmRemoveBookmarkArguments))]
[JsonSerializable(typeof(TtvmBookmarks))]
[JsonSerializable(typeof(TtvmTimelineArguments))]
[JsonSerializable(typeof(TtvmTimeline))]
internal sealed partial class TtvmJson : JsonSerializerContext;
