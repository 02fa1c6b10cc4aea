using System.Net;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Admin;

/// <summary>
/// <c>--health</c>: the program asks the process that runs beside it whether it is ready. Containers use it as their health
/// check, since their base images hold no HTTP client.
/// </summary>
internal static class HealthProbe
{
    /// <summary>The argument that asks for it.</summary>
    public const string Argument = "--health";

    /// <summary>Asks <c>/readyz</c> once.</summary>
    /// <returns>The exit code: 0 when ready, 1 otherwise.</returns>
    public static async Task<int> RunAsync(AdminOptions admin)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var host = IPAddress.TryParse(admin.Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? "127.0.0.1"
            : admin.Host;
        try
        {
            using var answer = await http.GetAsync(new UriBuilder("http", host, admin.Port ?? Listening.FirstAdminPort, "/readyz").Uri);
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            Console.WriteLine("no answer on the admin port");
            return 1;
        }
    }
}
