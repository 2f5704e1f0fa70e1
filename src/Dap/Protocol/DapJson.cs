using System;
using System.Text.Json.Serialization.Metadata;

namespace Dap.Protocol;

/// <summary>How messages are read and written: by code made when compiling, without reflection. What is null is left out.</summary>
internal static class DapJson
{
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)(ProtocolJson.Default.GetTypeInfo(typeof(T)) ?? TtvmJson.Default.GetTypeInfo(typeof(T))
        ?? throw new InvalidOperationException($"{typeof(T)} is not a type of the protocol"));
}
