using System;
using System.IO;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>A Linux kernel's symbols are addresses to every verb, without any file.</summary>
[Trait("Category", "Slow")]
public sealed class LinuxAddressTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-cli").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Symbols_of_the_kernel_are_addresses()
    {
        string file = Path.Combine(_folder, "linux.ttvm");
        Ttvm.Good("record", "-o", file, "--kernel", GuestImages.LinuxCloudKernel(), "--memory", "256M", "--append", "console=ttyS0", "--until", "text:Linux version");
        // At the start the kernel is not there yet.
        JsonElement start = JsonDocument.Parse(Ttvm.Good("find", file, "--breakpoint", "start_kernel", "--from", "start", "--json")).RootElement;
        JsonElement call = JsonDocument.Parse(Ttvm.Good("find", file, "--call", "start_kernel", "--json")).RootElement.GetProperty("calls")[0];
        string position = start.GetProperty("position").GetString()!;
        Assert.Equal(call.GetProperty("position").GetString(), position);
        JsonElement registers = JsonDocument.Parse(Ttvm.Good("regs", file, "--at", position, "--json")).RootElement;
        Assert.Equal(call.GetProperty("address").GetString(), registers.GetProperty("rip").GetString());
        Assert.Equal(Ttvm.Good("disasm", file, "--at", position, "-a", "rip+4"), Ttvm.Good("disasm", file, "--at", position, "-a", "start_kernel+4"));
        Assert.Contains("Linux version 6", Ttvm.Good("mem", file, "--at", "end", "-a", "linux_banner", "-n", "16"), StringComparison.Ordinal);
        Assert.Contains("0x", Ttvm.Good("find", file, "--breakpoint", "__x86_indirect_thunk_r14", "--from", position), StringComparison.Ordinal);
        Ttvm.Refuses(2, ["find", file, "--breakpoint", "start_kernal"], "'start_kernal' is not an address", "there is start_kernel");
    }
}
