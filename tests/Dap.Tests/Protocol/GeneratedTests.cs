using System;
using System.IO;
using TestKit;
using Xunit;

namespace Dap.Tests.Protocol;

/// <summary>The protocol's types are made from the published ones; what is committed is what the generator makes.</summary>
public sealed class GeneratedTests
{
    [Fact]
    public void Generating_again_changes_nothing()
    {
        HostTool.Require("node", "nodejs");
        string generator = Repository.PathOf("src/Dap/Protocol/Generator");
        if (!Directory.Exists(Path.Combine(generator, "node_modules"))) Requirement.Missing("the generator's packages are not installed", "npm ci --prefix src/Dap/Protocol/Generator");
        string folder = Directory.CreateTempSubdirectory("ttvm-types").FullName;
        try
        {
            ToolResult result = HostTool.Run("node", [Path.Combine(generator, "generate.mjs"), folder], TimeSpan.FromMinutes(1));
            Assert.True(result.ExitCode == 0, result.Error);
            foreach (string file in (string[])["ProtocolTypes.g.cs", "ProtocolJson.g.cs"])
                Assert.Equal(File.ReadAllText(Repository.PathOf($"src/Dap/Protocol/{file}")), File.ReadAllText(Path.Combine(folder, file)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
