using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>How the types of our own requests are read and written.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TtvmLaunchArguments))]
[JsonSerializable(typeof(TtvmAttachArguments))]
[JsonSerializable(typeof(TtvmTypeArguments))]
[JsonSerializable(typeof(TtvmNoArguments))]
[JsonSerializable(typeof(TtvmSeekArguments))]
[JsonSerializable(typeof(TtvmWriteArguments))]
[JsonSerializable(typeof(TtvmThreadArguments))]
[JsonSerializable(typeof(TtvmPosition))]
[JsonSerializable(typeof(TtvmFound))]
internal sealed partial class TtvmJson : JsonSerializerContext;
