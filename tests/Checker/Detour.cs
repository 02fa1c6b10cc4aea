using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

// A silo is only spoken to at the address that it gives itself, so a proxy cannot simply stand at another one. In a network
// namespace of the run's own the kernel sends those who connect to a silo's port to the proxy instead, without their knowing;
// the proxy goes on to the silo from an address of its own, which is let through.

/// <summary>Leads those who connect to a port by way of a proxy.</summary>
internal static class Detour
{
    /// <summary>Where proxies connect from.</summary>
    private static readonly IPAddress _ofProxies = IPAddress.Parse("127.0.0.9");

    /// <summary>Whether this is a network of the run's own, in which nobody else is led astray.</summary>
    public static bool IsPossible => NetworkInterface.GetAllNetworkInterfaces() is [{ NetworkInterfaceType: NetworkInterfaceType.Loopback, OperationalStatus: not OperationalStatus.Down }];

    /// <summary>Puts a proxy in front of a port.</summary>
    /// <param name="port">The port, on loopback.</param>
    /// <param name="seed">What chance depends on.</param>
    /// <exception cref="InvalidOperationException">The kernel does not do it.</exception>
    public static async Task<FaultProxy> BeforeAsync(int port, int seed)
    {
        var proxy = new FaultProxy(port, seed, _ofProxies);
        string[] rule =
        [
            "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", "127.0.0.1", "!", "-s", $"{_ofProxies}", "--dport", port.ToString(CultureInfo.InvariantCulture),
            "-j", "REDIRECT", "--to-ports", proxy.Port.ToString(CultureInfo.InvariantCulture),
        ];
        using var iptables = Process.Start(new ProcessStartInfo("iptables", rule) { RedirectStandardError = true })!;
        var complaint = await iptables.StandardError.ReadToEndAsync();
        await iptables.WaitForExitAsync();
        return iptables.ExitCode == 0 ? proxy : throw new InvalidOperationException($"iptables: {complaint}");
    }
}
